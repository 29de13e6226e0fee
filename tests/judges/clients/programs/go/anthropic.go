package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

func anthropicClient(base string) anthropic.Client {
	return anthropic.NewClient(
		option.WithBaseURL(base), option.WithAPIKey("k"), option.WithMaxRetries(0),
	)
}

func askAnthropic(model, prompt string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: anthropic.Model(model), MaxTokens: 999,
		Messages: []anthropic.MessageParam{
			anthropic.NewUserMessage(anthropic.NewTextBlock(prompt)),
		},
	}
}

func messageText(prompt string) run {
	return func(ctx context.Context, base, model string, o *outcome) error {
		client := anthropicClient(base)
		stream := client.Messages.NewStreaming(ctx, askAnthropic(model, prompt))
		defer stream.Close()
		message := anthropic.Message{}
		for stream.Next() {
			event := stream.Current()
			if err := message.Accumulate(event); err != nil {
				return err
			}
			o.Text += event.Delta.Text
		}
		o.Usage = []int64{message.Usage.InputTokens, message.Usage.OutputTokens}
		return stream.Err()
	}
}

func messageLoop(prompt string) run {
	return func(ctx context.Context, base, model string, o *outcome) error {
		client := anthropicClient(base)
		params := askAnthropic(model, prompt)
		params.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{
			Name: "get_weather", Description: anthropic.String(description),
			InputSchema: anthropic.ToolInputSchemaParam{
				Properties: properties, Required: []string{"city"},
			},
		}}}
		for range rounds {
			stream := client.Messages.NewStreaming(ctx, params)
			message := anthropic.Message{}
			for stream.Next() {
				if err := message.Accumulate(stream.Current()); err != nil {
					return err
				}
			}
			if stream.Err() != nil {
				return stream.Err()
			}
			params.Messages = append(params.Messages, message.ToParam())
			results := []anthropic.ContentBlockParamUnion{}
			o.Text = ""
			for _, block := range message.Content {
				switch block.Type {
				case "tool_use":
					result := o.call(string(block.Input))
					results = append(results, anthropic.NewToolResultBlock(block.ID, result, false))
				case "text":
					o.Text += block.Text
				}
			}
			if len(results) == 0 {
				return nil
			}
			params.Messages = append(params.Messages, anthropic.NewUserMessage(results...))
		}
		return errors.New("too many turns")
	}
}

func messageObject(ctx context.Context, base, model string, o *outcome) error {
	client := anthropicClient(base)
	params := askAnthropic(model, object)
	params.OutputConfig.Format.Schema = citySchema
	message, err := client.Messages.New(ctx, params)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(message.Content[0].Text), &o.Value)
}

func messageCancel(ctx context.Context, base, model string, o *outcome) error {
	client := anthropicClient(base)
	stream := client.Messages.NewStreaming(ctx, askAnthropic(model, slow))
	for stream.Next() && o.Text == "" {
		o.Text += stream.Current().Delta.Text
	}
	return stream.Close()
}

var anthropicCases = map[string]run{
	"plain": messageText(plain), "usage": messageText(plain), "tool": messageLoop(tool),
	"loop": messageLoop(loop), "object": messageObject, "before": messageText(before),
	"inside": messageText(inside), "cancel": messageCancel,
}
