package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	// 305 bytes with its time, as a chunk of OpenAI's has.
	chunk = `data: {"id":"chatcmpl-CqXcbSZfH1WmBTBBjbQb5GxNqGz0L","object":"chat.completion.chunk",` +
		`"created":1763720000,"model":"gpt-5.1-2025-11-13","service_tier":"default",` +
		`"system_fingerprint":null,"choices":[{"index":0,"delta":%s,"finish_reason":%s}],` +
		`"obfuscation":"pKq1RpPiTdJ0q"}` + "\n\n"
)

// upstream serves the scripted provider. Each block has the time at which it was sent, so that a
// client on the same machine can tell its delay.
func upstream(arguments []string) error {
	flags := flag.NewFlagSet("upstream", flag.ExitOnError)
	address := flags.String("addr", "127.0.0.1:0", "where to listen")
	flags.Parse(arguments)
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	report(map[string]int{"port": listener.Addr().(*net.TCPAddr).Port})
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go serve(connection)
	}
}

func serve(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		var body struct{ Model string }
		if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
			return
		}
		request.Body.Close()
		if err := answer(connection, strings.Split(body.Model, "-")); err != nil {
			return
		}
	}
}

// answer writes one response: its role and first text at once, then what the model's name specifies.
func answer(connection net.Conn, model []string) error {
	first := fmt.Sprintf(chunk, `{"role":"assistant","content":""}`, "null") + text()
	if _, err := connection.Write([]byte(head + framed(first))); err != nil {
		return err
	}
	switch model[0] {
	case "idle":
		_, err := connection.Read(make([]byte, 1))
		return fmt.Errorf("the client has left: %w", err)
	case "paced":
		if err := writePaced(connection, number(model, 1), number(model, 2)); err != nil {
			return err
		}
	case "bulk":
		if err := writeBulk(connection, number(model, 1)); err != nil {
			return err
		}
	}
	last := fmt.Sprintf(chunk, "{}", `"stop"`) + "data: [DONE]\n\n"
	_, err := connection.Write([]byte(framed(last) + "0\r\n\r\n"))
	return err
}

func writePaced(connection net.Conn, count, rate int) error {
	interval := time.Second / time.Duration(max(rate, 1))
	at := time.Now().Add(rand.N(interval))
	for range count {
		time.Sleep(time.Until(at))
		if _, err := connection.Write([]byte(framed(text()))); err != nil {
			return err
		}
		at = at.Add(interval)
	}
	return nil
}

// writeBulk writes each block as a chunk and a packet of its own: none is cheaper for having come
// with others.
func writeBulk(connection net.Conn, count int) error {
	for range count {
		if _, err := connection.Write([]byte(framed(text()))); err != nil {
			return err
		}
	}
	return nil
}

// text is a block whose content is " @NANOSECONDS@": the time now.
func text() string {
	delta := `{"content":" @` + strconv.FormatInt(time.Now().UnixNano(), 10) + `@"}`
	return fmt.Sprintf(chunk, delta, "null")
}

func framed(data string) string {
	return fmt.Sprintf("%x\r\n%s\r\n", len(data), data)
}

func number(parts []string, at int) int {
	if at >= len(parts) {
		return 0
	}
	value, _ := strconv.Atoi(parts[at])
	return value
}
