// Shows what github.com/r3labs/sse gets from a stream: main URL [TOKEN]
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/r3labs/sse/v2"
)

type event struct {
	Type string `json:"type"`
	Data string `json:"data"`
	ID   string `json:"id"`
}

func main() {
	client := sse.NewClient(os.Args[1])
	if len(os.Args) > 2 {
		client.Headers["Authorization"] = "Bearer " + os.Args[2]
	}
	output := json.NewEncoder(os.Stdout)
	// The library comes back after a broken connection, with the last id, but not after an orderly end or a wait of 15 minutes.
	for {
		err := client.SubscribeRaw(func(message *sse.Event) {
			if len(message.Data) == 0 && len(message.Event) == 0 {
				return // only the position has moved
			}
			output.Encode(event{string(message.Event), string(message.Data), string(message.ID)})
		})
		fmt.Fprintln(os.Stderr, "ended:", err)
		time.Sleep(200 * time.Millisecond)
	}
}
