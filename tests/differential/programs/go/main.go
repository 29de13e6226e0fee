// The script for AWS's Go runtime.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

type response = events.LambdaFunctionURLStreamingResponse

var text = map[string]string{"content-type": "text/plain"}

func body(write func(io.Writer) error) io.Reader {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(write(writer)) }()
	return reader
}

func streamed(out io.Writer) error {
	io.WriteString(out, "one")
	for range 100 {
		if _, err := os.Stat(os.Getenv("SIGNAL")); err == nil {
			io.WriteString(out, "two")
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	io.WriteString(out, "late")
	return nil
}

func failing(text string) func(io.Writer) error {
	return func(out io.Writer) error {
		io.WriteString(out, "begun")
		time.Sleep(100 * time.Millisecond)
		return errors.New(text)
	}
}

func late(out io.Writer) error {
	io.WriteString(out, "begun")
	time.Sleep(5 * time.Second)
	io.WriteString(out, "late")
	return nil
}

func handle(_ context.Context, event events.LambdaFunctionURLRequest) (*response, error) {
	switch event.RawPath {
	case "/streamed":
		return &response{StatusCode: 200, Headers: text, Body: body(streamed)}, nil
	case "/headers":
		headers := map[string]string{"content-type": "text/plain", "x-one": "1", "x-two": "1, 2"}
		cookies := []string{"a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT", "b=2"}
		return &response{StatusCode: 201, Headers: headers, Body: strings.NewReader("hello"), Cookies: cookies}, nil
	case "/no-content":
		return &response{StatusCode: 204, Body: strings.NewReader("")}, nil
	case "/before":
		return nil, errors.New("sk-secret")
	case "/inside":
		return &response{StatusCode: 200, Headers: text, Body: body(failing("sk-secret"))}, nil
	case "/long":
		return &response{StatusCode: 200, Headers: text, Body: body(failing(strings.Repeat("sk-secret", 556)))}, nil
	case "/deadline":
		return &response{StatusCode: 200, Headers: text, Body: body(late)}, nil
	}
	return &response{StatusCode: 200, Headers: text, Body: strings.NewReader("")}, nil
}

func main() {
	lambda.Start(handle)
}
