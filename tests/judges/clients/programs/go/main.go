// The official Go SDKs: openai-go (Chat Completions and Responses) and anthropic-sdk-go.
// The protocol of a client program is that of report.py in the folder above.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sync"
	"time"
)

const (
	plain  = "What is the capital of France?"
	tool   = "What is the weather in Paris?"
	loop   = "Please compare two cities."
	object = "Please describe a city as JSON."
	before = "Please refuse for the rate."
	inside = "Please break in the middle."
	slow   = "Please count slowly."
	rounds = 4

	description = "The weather of a city."
)

var (
	weather    = map[string]string{"Paris": "sunny", "Rome": "rainy"}
	properties = map[string]any{"city": map[string]any{"type": "string"}}
	parameters = map[string]any{
		"type": "object", "properties": properties, "required": []string{"city"},
		"additionalProperties": false,
	}
	citySchema = map[string]any{
		"type": "object",
		"properties": map[string]any{
			"name": map[string]any{"type": "string"}, "population": map[string]any{"type": "integer"},
		},
		"required": []string{"name", "population"}, "additionalProperties": false,
	}
)

type outcome struct {
	Client string  `json:"client"`
	Case   string  `json:"case"`
	Model  string  `json:"model"`
	Detail string  `json:"detail"`
	Text   string  `json:"text"`
	Calls  [][]any `json:"calls"`
	Usage  []int64 `json:"usage"`
	Value  any     `json:"value"`
	Error  string  `json:"error"`
}

// call records a call of the tool and returns its result.
func (o *outcome) call(arguments string) string {
	var args struct{ City string }
	if err := json.Unmarshal([]byte(arguments), &args); err != nil {
		return "bad arguments"
	}
	o.Calls = append(o.Calls, []any{"get_weather", map[string]string{"city": args.City}})
	return weather[args.City]
}

type run func(ctx context.Context, base, model string, o *outcome) error

func one(client, name string, do run, base, model string) {
	o := &outcome{Client: client, Case: name, Model: model, Calls: [][]any{}}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	defer func() { // a client that cannot take an answer fails its own case only
		if broken := recover(); broken != nil {
			o.Error, o.Detail = "panic", fmt.Sprint(broken)
		}
		line, _ := json.Marshal(o)
		fmt.Println(string(line))
	}()
	if err := do(ctx, base, model, o); err != nil {
		o.Error, o.Detail = reflect.TypeOf(err).String(), err.Error()
	}
}

func main() {
	clients := map[string]map[string]run{
		"openai-go chat":      chatCases,
		"openai-go responses": responsesCases,
		"anthropic-go":        anthropicCases,
	}
	for client, cases := range clients {
		var all sync.WaitGroup
		for name, do := range cases {
			for _, model := range os.Args[2:] {
				all.Add(1)
				go func() { defer all.Done(); one(client, name, do, os.Args[1], model) }()
			}
		}
		all.Wait()
	}
}
