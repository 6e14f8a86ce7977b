// Centrifuge as a notification server: `centrifuge PORT`. Sockets come to /hear/<group>, events by POST to /<group>.
//
// At its best for this job: no compression, history, presence or log; the server subscribes a socket as it connects; no
// pings and no deadline for each write, which would each be a timer; write buffers are shared. Several events that wait
// for one socket go out in one frame: that is the library's own doing (up to four).
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"

	"github.com/centrifugal/centrifuge"
)

// Given by the linker: the version of Debian's package.
var library string

type groupKey struct{}

func main() {
	fmt.Printf("Centrifuge %s, %s\n", library, runtime.Version())

	config := centrifuge.DefaultConfig
	// A burst may not cost anybody the connection, however long it waits.
	config.ClientQueueMaxSize = 1 << 30
	node, err := centrifuge.New(config)
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(ctx context.Context, _ centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		group := ctx.Value(groupKey{}).(string)
		return centrifuge.ConnectReply{Subscriptions: map[string]centrifuge.SubscribeOptions{group: {}}}, nil
	})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}

	sockets := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		ReadBufferSize:     512,
		UseWriteBufferPool: true,
		PingInterval:       -1,
		WriteTimeout:       -1,
	})
	http.HandleFunc("/hear/", func(writer http.ResponseWriter, request *http.Request) {
		ctx := centrifuge.SetCredentials(request.Context(), &centrifuge.Credentials{})
		ctx = context.WithValue(ctx, groupKey{}, strings.TrimPrefix(request.URL.Path, "/hear/"))
		sockets.ServeHTTP(writer, request.WithContext(ctx))
	})
	http.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		event, err := io.ReadAll(request.Body)
		if err == nil {
			_, err = node.Publish(request.URL.Path[1:], event)
		}
		if err != nil {
			http.Error(writer, err.Error(), http.StatusInternalServerError)
			return
		}
		writer.WriteHeader(http.StatusNoContent)
	})

	// Go takes as many waiting connections as the machine allows (net.core.somaxconn), 4,096 on Linux.
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, nil))
}
