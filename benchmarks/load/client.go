package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

var paths = map[string]string{
	"chat":      "/v1/chat/completions",
	"messages":  "/v1/messages",
	"responses": "/v1/responses",
	"ui":        "/api/chat",
	"events":    "/api/stream",
}

// requestBytes is the HTTP request for a model in a dialect, with headers of its own.
func requestBytes(dialect, model string, more headers) []byte {
	turn := map[string]any{"role": "user", "content": "Hi"}
	body := map[string]any{"model": model, "stream": true}
	switch dialect {
	case "chat":
		body["messages"] = []any{turn}
	case "messages":
		body["messages"], body["max_tokens"] = []any{turn}, 99
	case "responses":
		body["input"] = "Hi"
	case "ui":
		part := map[string]any{"type": "text", "text": "Hi"}
		turn = map[string]any{"id": "m1", "role": "user", "parts": []any{part}}
		body = map[string]any{"id": "", "model": model, "messages": []any{turn}}
		delete(body, "id")
	case "events":
		body = map[string]any{"model": model, "message": "Hi"}
	}
	encoded, _ := json.Marshal(body)
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n%s"+
		"Content-Length: %d\r\n\r\n%s", paths[dialect], more.String(), len(encoded), encoded)
}

// headers are lines such as "X-Name: value" that a subject wants to have.
type headers []string

// String is how they stand in a request.
func (h headers) String() string {
	if len(h) == 0 {
		return ""
	}
	return strings.Join(h, "\r\n") + "\r\n"
}

// Set adds one.
func (h *headers) Set(line string) error {
	*h = append(*h, line)
	return nil
}

// stream is one connection, and what has arrived on it.
type stream struct {
	connection net.Conn
	blocks     atomic.Int64 // text blocks of the present answer
	delays     []int32      // microseconds, of blocks that came while measuring was on
	measuring  *atomic.Bool
	begun      chan struct{} // closed at the first text
	carry      []byte
	buffer     []byte
}

func open(host string, measuring *atomic.Bool) (*stream, error) {
	connection, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	return &stream{connection: connection, measuring: measuring, buffer: make([]byte, 64*1024)}, nil
}

// run sends the request and reads the answer to its end.
func (s *stream) run(request []byte) error {
	if err := s.send(request); err != nil {
		return err
	}
	return s.rest()
}

func (s *stream) send(request []byte) error {
	s.blocks.Store(0)
	s.carry = s.carry[:0]
	_, err := s.connection.Write(request)
	return err
}

// rest reads the answer from where it is to its end.
func (s *stream) rest() error {
	for {
		complete, err := s.read()
		if complete || err != nil {
			return err
		}
	}
}

// read takes what has arrived; it returns whether the answer is complete.
func (s *stream) read() (bool, error) {
	count, err := s.connection.Read(s.buffer)
	if err == io.EOF {
		return false, fmt.Errorf("the answer broke off after %d blocks", s.blocks.Load())
	}
	if err != nil {
		return false, err
	}
	data := append(s.carry, s.buffer[:count]...)
	rest := s.count(data)
	s.carry = append(s.carry[:0], rest...)
	return bytes.HasSuffix(data, []byte("\r\n0\r\n\r\n")), nil
}

// count notes each " @TIME@" in data, and returns the end that may hold a part of the next one.
func (s *stream) count(data []byte) []byte {
	now := time.Now().UnixNano()
	for {
		at := bytes.Index(data, []byte(" @"))
		if at < 0 {
			return data[max(0, len(data)-8):]
		}
		if len(data) < at+22 {
			return data[at:]
		}
		s.note(now, data[at+2:at+21])
		data = data[at+22:]
	}
}

func (s *stream) note(now int64, sent []byte) {
	if s.blocks.Add(1) == 1 && s.begun != nil {
		close(s.begun)
		s.begun = nil
	}
	if s.measuring != nil && s.measuring.Load() {
		at, _ := strconv.ParseInt(string(sent), 10, 64)
		s.delays = append(s.delays, int32((now-at)/1000))
	}
}
