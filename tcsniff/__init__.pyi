from tcsniff.asking import bind as bind
from tcsniff.events import Event as Event
from tcsniff.listening import listen as listen

__version__: str
__all__ = ["Event", "bind", "listen"]
