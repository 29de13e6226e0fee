package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
)

func openaiClient(base string) openai.Client {
	return openai.NewClient(
		option.WithBaseURL(base+"/v1"), option.WithAPIKey("k"), option.WithMaxRetries(0),
	)
}

func ask(model, prompt string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
	}
}

func chatText(prompt string) run {
	return func(ctx context.Context, base, model string, o *outcome) error {
		client := openaiClient(base)
		stream := client.Chat.Completions.NewStreaming(ctx, ask(model, prompt))
		defer stream.Close()
		for stream.Next() {
			o.Text += stream.Current().Choices[0].Delta.Content
		}
		return stream.Err()
	}
}

func chatUsage(ctx context.Context, base, model string, o *outcome) error {
	client := openaiClient(base)
	params := ask(model, plain)
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := client.Chat.Completions.NewStreaming(ctx, params)
	defer stream.Close()
	all := openai.ChatCompletionAccumulator{} // adds usage up
	for stream.Next() {
		if !all.AddChunk(stream.Current()) {
			return errors.New("a chunk of another completion")
		}
	}
	if stream.Err() != nil {
		return stream.Err()
	}
	o.Text = all.Choices[0].Message.Content
	o.Usage = []int64{all.Usage.PromptTokens, all.Usage.CompletionTokens}
	return nil
}

func chatLoop(prompt string) run {
	return func(ctx context.Context, base, model string, o *outcome) error {
		client := openaiClient(base)
		params := ask(model, prompt)
		params.Tools = []openai.ChatCompletionToolUnionParam{
			openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
				Name: "get_weather", Description: openai.String(description), Parameters: parameters,
			}),
		}
		for range rounds {
			stream := client.Chat.Completions.NewStreaming(ctx, params)
			all := openai.ChatCompletionAccumulator{}
			for stream.Next() {
				if !all.AddChunk(stream.Current()) {
					return errors.New("a chunk of another completion")
				}
			}
			if stream.Err() != nil {
				return stream.Err()
			}
			message := all.Choices[0].Message
			params.Messages = append(params.Messages, message.ToParam())
			if len(message.ToolCalls) == 0 {
				o.Text = message.Content
				return nil
			}
			for _, call := range message.ToolCalls {
				result := o.call(call.Function.Arguments)
				params.Messages = append(params.Messages, openai.ToolMessage(result, call.ID))
			}
		}
		return errors.New("too many turns")
	}
}

func chatObject(ctx context.Context, base, model string, o *outcome) error {
	client := openaiClient(base)
	params := ask(model, object)
	params.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
		JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
			Name: "city", Strict: openai.Bool(true), Schema: citySchema,
		},
	}
	answer, err := client.Chat.Completions.New(ctx, params)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(answer.Choices[0].Message.Content), &o.Value)
}

func chatCancel(ctx context.Context, base, model string, o *outcome) error {
	client := openaiClient(base)
	stream := client.Chat.Completions.NewStreaming(ctx, ask(model, slow))
	for stream.Next() && o.Text == "" {
		o.Text += stream.Current().Choices[0].Delta.Content
	}
	return stream.Close()
}

func input(prompt string) responses.ResponseNewParamsInputUnion {
	return responses.ResponseNewParamsInputUnion{OfString: openai.String(prompt)}
}

func responsesText(prompt string) run {
	return func(ctx context.Context, base, model string, o *outcome) error {
		client := openaiClient(base)
		params := responses.ResponseNewParams{Model: model, Input: input(prompt)}
		stream := client.Responses.NewStreaming(ctx, params)
		defer stream.Close()
		for stream.Next() {
			switch event := stream.Current().AsAny().(type) {
			case responses.ResponseTextDeltaEvent:
				o.Text += event.Delta
			case responses.ResponseErrorEvent:
				return errors.New(event.Message)
			case responses.ResponseFailedEvent:
				return errors.New(event.Response.Error.Message)
			case responses.ResponseCompletedEvent:
				usage := event.Response.Usage
				o.Usage = []int64{usage.InputTokens, usage.OutputTokens}
			}
		}
		return stream.Err()
	}
}

func responsesLoop(prompt string) run {
	return func(ctx context.Context, base, model string, o *outcome) error {
		client := openaiClient(base)
		items := responses.ResponseInputParam{
			responses.ResponseInputItemParamOfMessage(prompt, responses.EasyInputMessageRoleUser),
		}
		params := responses.ResponseNewParams{Model: model, Tools: []responses.ToolUnionParam{{
			OfFunction: &responses.FunctionToolParam{
				Name: "get_weather", Description: openai.String(description),
				Parameters: parameters, Strict: openai.Bool(true),
			},
		}}}
		for range rounds {
			params.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: items}
			answer, err := client.Responses.New(ctx, params)
			if err != nil {
				return err
			}
			calls := 0
			for _, item := range answer.Output {
				if item.Type != "function_call" {
					continue
				}
				calls++
				call := item.AsFunctionCall()
				result := responses.ResponseInputItemParamOfFunctionCallOutput(o.call(call.Arguments))
				result.OfFunctionCallOutput.CallID = openai.String(call.CallID)
				items = append(items, responses.ResponseInputItemParamOfFunctionCall(
					call.Arguments, call.CallID, call.Name,
				), result)
			}
			if calls == 0 {
				o.Text = answer.OutputText()
				return nil
			}
		}
		return errors.New("too many turns")
	}
}

func responsesObject(ctx context.Context, base, model string, o *outcome) error {
	client := openaiClient(base)
	params := responses.ResponseNewParams{Model: model, Input: input(object)}
	params.Text.Format = responses.ResponseFormatTextConfigParamOfJSONSchema("city", citySchema)
	answer, err := client.Responses.New(ctx, params)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(answer.OutputText()), &o.Value)
}

func responsesCancel(ctx context.Context, base, model string, o *outcome) error {
	client := openaiClient(base)
	params := responses.ResponseNewParams{Model: model, Input: input(slow)}
	stream := client.Responses.NewStreaming(ctx, params)
	for stream.Next() && o.Text == "" {
		if event, ok := stream.Current().AsAny().(responses.ResponseTextDeltaEvent); ok {
			o.Text += event.Delta
		}
	}
	return stream.Close()
}

var (
	chatCases = map[string]run{
		"plain": chatText(plain), "usage": chatUsage, "tool": chatLoop(tool), "loop": chatLoop(loop),
		"object": chatObject, "before": chatText(before), "inside": chatText(inside),
		"cancel": chatCancel,
	}
	responsesCases = map[string]run{
		"plain": responsesText(plain), "usage": responsesText(plain), "tool": responsesLoop(tool),
		"loop": responsesLoop(loop), "object": responsesObject, "before": responsesText(before),
		"inside": responsesText(inside), "cancel": responsesCancel,
	}
)
