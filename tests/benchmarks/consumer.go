// Two consumers in Go, with streadway/amqp, as a user would write them.
//
//	consumer KIND URL QUEUE COUNT
//
// KIND "parse" parses each message and prints its body, as pulse-go does;
// "discard" throws it away. Both acknowledge batches of messages, and end
// after COUNT.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
	"strconv"

	"github.com/streadway/amqp"
)

const (
	prefetch = 1000 // tcsniff's own
	ackEvery = 100  // messages in an acknowledgement
)

func main() {
	kind, url, queue := os.Args[1], os.Args[2], os.Args[3]
	count, err := strconv.Atoi(os.Args[4])
	check(err)
	connection, err := amqp.Dial(url)
	check(err)
	defer connection.Close()
	channel, err := connection.Channel()
	check(err)
	check(channel.Qos(prefetch, 0, false))
	deliveries, err := channel.Consume(queue, "", false, false, false, false, nil)
	check(err)
	output := bufio.NewWriterSize(os.Stdout, 1<<16)
	for number := 1; number <= count; number++ {
		delivery := <-deliveries
		if kind == "parse" {
			var payload map[string]interface{}
			check(json.Unmarshal(delivery.Body, &payload))
			output.Write(delivery.Body)
			output.WriteByte('\n')
		}
		if number%ackEvery == 0 || number == count {
			check(output.Flush())
			check(delivery.Ack(true))
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
