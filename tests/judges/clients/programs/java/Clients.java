// The official Java SDKs: openai-java (Chat Completions and Responses) and anthropic-java.
// The protocol of a client program is that of report.py in the folder above.

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolResultBlockParam;
import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonTypeName;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.responses.EasyInputMessage;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseInputItem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

public class Clients {
    static final String PLAIN = "What is the capital of France?";
    static final String TOOL = "What is the weather in Paris?";
    static final String LOOP = "Please compare two cities.";
    static final String OBJECT = "Please describe a city as JSON.";
    static final String BEFORE = "Please refuse for the rate.";
    static final String INSIDE = "Please break in the middle.";
    static final String SLOW = "Please count slowly.";
    static final int ROUNDS = 4;
    static final Duration PATIENCE = Duration.ofSeconds(20);
    static final Map<String, String> WEATHER = Map.of("Paris", "sunny", "Rome", "rainy");
    static final ObjectMapper JSON = new ObjectMapper();

    @JsonTypeName("get_weather")
    @JsonClassDescription("The weather of a city.")
    public static class GetWeather {
        public String city;
    }

    public static class City {
        public String name;
        public int population;
    }

    static class Outcome {
        String text = "";
        List<Object> calls = new ArrayList<>();
        List<Long> usage;
        Object value;
        String error = "";

        /** Records a call of the tool and returns its result. */
        String weather(String city) {
            calls.add(List.of("get_weather", Map.of("city", city)));
            return WEATHER.get(city);
        }
    }

    interface Case {
        void run(String base, String model, Outcome outcome) throws Exception;
    }

    static OpenAIClient openai(String base) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(base + "/v1").apiKey("k").maxRetries(0).timeout(PATIENCE).build();
    }

    static AnthropicClient anthropic(String base) {
        return AnthropicOkHttpClient.builder()
                .baseUrl(base).apiKey("k").maxRetries(0).timeout(PATIENCE).build();
    }

    static ChatCompletionCreateParams.Builder chat(String model, String prompt) {
        return ChatCompletionCreateParams.builder().model(model).addUserMessage(prompt);
    }

    static ChatCompletion whole(OpenAIClient client, ChatCompletionCreateParams params, Outcome outcome) {
        ChatCompletionAccumulator all = ChatCompletionAccumulator.create();
        outcome.text = "";
        try (var stream = client.chat().completions().createStreaming(params)) {
            stream.stream().peek(all::accumulate).flatMap(chunk -> chunk.choices().stream())
                    .flatMap(choice -> choice.delta().content().stream())
                    .forEach(text -> outcome.text += text);
        }
        return all.chatCompletion();
    }

    static Case chatText(String prompt) {
        return (base, model, outcome) -> whole(openai(base), chat(model, prompt).build(), outcome);
    }

    static void chatUsage(String base, String model, Outcome outcome) {
        var options = ChatCompletionStreamOptions.builder().includeUsage(true).build();
        var params = chat(model, PLAIN).streamOptions(options).build();
        long[] total = {0, 0};
        try (var stream = openai(base).chat().completions().createStreaming(params)) {
            stream.stream().forEach(chunk -> {
                chunk.choices().forEach(choice -> outcome.text += choice.delta().content().orElse(""));
                chunk.usage().ifPresent(usage -> {
                    total[0] += usage.promptTokens();
                    total[1] += usage.completionTokens();
                });
            });
        }
        outcome.usage = List.of(total[0], total[1]);
    }

    static Case chatLoop(String prompt) {
        return (base, model, outcome) -> {
            var client = openai(base);
            var params = chat(model, prompt).addTool(GetWeather.class);
            for (int round = 0; round < ROUNDS; round++) {
                var message = whole(client, params.build(), outcome).choices().get(0).message();
                params.addMessage(message);
                var calls = message.toolCalls().orElse(List.of());
                if (calls.isEmpty()) return;
                for (var call : calls) {
                    var function = call.asFunction();
                    var city = function.function().arguments(GetWeather.class).city;
                    params.addMessage(ChatCompletionToolMessageParam.builder()
                            .toolCallId(function.id()).content(outcome.weather(city)).build());
                }
            }
        };
    }

    static void chatObject(String base, String model, Outcome outcome) {
        var params = chat(model, OBJECT).responseFormat(City.class).build();
        var city = openai(base).chat().completions().create(params)
                .choices().get(0).message().content().orElseThrow();
        outcome.value = Map.of("name", city.name, "population", city.population);
    }

    static void chatCancel(String base, String model, Outcome outcome) {
        try (var stream = openai(base).chat().completions().createStreaming(chat(model, SLOW).build())) {
            outcome.text = stream.stream().flatMap(chunk -> chunk.choices().stream())
                    .flatMap(choice -> choice.delta().content().stream())
                    .filter(text -> !text.isEmpty()).findFirst().orElse("");
        }
    }

    static Case responsesText(String prompt) {
        return (base, model, outcome) -> {
            var params = ResponseCreateParams.builder().model(model).input(prompt).build();
            var all = ResponseAccumulator.create();
            try (var stream = openai(base).responses().createStreaming(params)) {
                stream.stream().forEach(event -> {
                    event.error().ifPresent(error -> {
                        throw new IllegalStateException(error.message());
                    });
                    event.failed().ifPresent(failed -> {
                        throw new IllegalStateException("failed");
                    });
                    all.accumulate(event);
                    event.outputTextDelta().ifPresent(delta -> outcome.text += delta.delta());
                });
            }
            var usage = all.response().usage().orElseThrow();
            outcome.usage = List.of(usage.inputTokens(), usage.outputTokens());
        };
    }

    static String text(Response response) {
        var text = new StringBuilder();
        response.output().stream().flatMap(item -> item.message().stream())
                .flatMap(message -> message.content().stream())
                .flatMap(part -> part.outputText().stream()).forEach(part -> text.append(part.text()));
        return text.toString();
    }

    static Case responsesLoop(String prompt) {
        return (base, model, outcome) -> {
            var client = openai(base);
            var items = new ArrayList<ResponseInputItem>();
            items.add(ResponseInputItem.ofEasyInputMessage(EasyInputMessage.builder()
                    .role(EasyInputMessage.Role.USER).content(prompt).build()));
            for (int round = 0; round < ROUNDS; round++) {
                var answer = client.responses().create(ResponseCreateParams.builder()
                        .model(model).inputOfResponse(items).addTool(GetWeather.class).build());
                int before = outcome.calls.size();
                for (var item : answer.output()) {
                    if (!item.isFunctionCall()) continue;
                    var call = item.asFunctionCall();
                    items.add(ResponseInputItem.ofFunctionCall(call));
                    items.add(ResponseInputItem.ofFunctionCallOutput(
                            ResponseInputItem.FunctionCallOutput.builder().callId(call.callId())
                                    .output(outcome.weather(call.arguments(GetWeather.class).city))
                                    .build()));
                }
                outcome.text = text(answer);
                if (outcome.calls.size() == before) return;
            }
        };
    }

    static void responsesObject(String base, String model, Outcome outcome) {
        var params = ResponseCreateParams.builder().model(model).input(OBJECT).text(City.class).build();
        var city = openai(base).responses().create(params).output().stream()
                .flatMap(item -> item.message().stream()).flatMap(message -> message.content().stream())
                .flatMap(part -> part.outputText().stream()).findFirst().orElseThrow();
        outcome.value = Map.of("name", city.name, "population", city.population);
    }

    static void responsesCancel(String base, String model, Outcome outcome) {
        var params = ResponseCreateParams.builder().model(model).input(SLOW).build();
        try (var stream = openai(base).responses().createStreaming(params)) {
            outcome.text = stream.stream().flatMap(event -> event.outputTextDelta().stream())
                    .map(delta -> delta.delta()).findFirst().orElse("");
        }
    }

    static MessageCreateParams.Builder ask(String model, String prompt) {
        return MessageCreateParams.builder().model(model).maxTokens(999).addUserMessage(prompt);
    }

    static Message whole(AnthropicClient client, MessageCreateParams params, Outcome outcome) {
        var all = MessageAccumulator.create();
        outcome.text = "";
        try (var stream = client.messages().createStreaming(params)) {
            stream.stream().peek(all::accumulate)
                    .flatMap(event -> event.contentBlockDelta().stream())
                    .flatMap(event -> event.delta().text().stream())
                    .forEach(delta -> outcome.text += delta.text());
        }
        return all.message();
    }

    static Case messagesText(String prompt) {
        return (base, model, outcome) -> {
            var usage = whole(anthropic(base), ask(model, prompt).build(), outcome).usage();
            outcome.usage = List.of(usage.inputTokens(), usage.outputTokens());
        };
    }

    static Case messagesLoop(String prompt) {
        return (base, model, outcome) -> {
            var client = anthropic(base);
            var city = com.anthropic.core.JsonValue.from(Map.of("type", "string"));
            var properties = Tool.InputSchema.Properties.builder()
                    .putAdditionalProperty("city", city).build();
            var schema = Tool.InputSchema.builder().properties(properties).addRequired("city").build();
            var params = ask(model, prompt).addTool(Tool.builder().name("get_weather")
                    .description("The weather of a city.").inputSchema(schema).build());
            for (int round = 0; round < ROUNDS; round++) {
                var message = whole(client, params.build(), outcome);
                params.addMessage(message);
                var results = new ArrayList<ContentBlockParam>();
                message.content().stream().flatMap(block -> block.toolUse().stream()).forEach(call -> {
                    var result = outcome.weather(String.valueOf(call._input().convert(Map.class).get("city")));
                    results.add(ContentBlockParam.ofToolResult(ToolResultBlockParam.builder()
                            .toolUseId(call.id()).content(result).build()));
                });
                if (results.isEmpty()) return;
                params.addUserMessageOfContentBlockParams(results);
            }
        };
    }

    static void messagesObject(String base, String model, Outcome outcome) {
        var params = ask(model, OBJECT).outputConfig(City.class).build();
        var city = anthropic(base).messages().create(params).content().stream()
                .flatMap(block -> block.text().stream()).findFirst().orElseThrow().text();
        outcome.value = Map.of("name", city.name, "population", city.population);
    }

    static void messagesCancel(String base, String model, Outcome outcome) {
        try (var stream = anthropic(base).messages().createStreaming(ask(model, SLOW).build())) {
            outcome.text = stream.stream().flatMap(event -> event.contentBlockDelta().stream())
                    .flatMap(event -> event.delta().text().stream()).map(delta -> delta.text())
                    .findFirst().orElse("");
        }
    }

    static void one(String client, String name, Case run, String base, String model) {
        var outcome = new Outcome();
        String detail = "";
        try {
            run.run(base, model, outcome);
        } catch (Exception error) {
            outcome.error = error.getClass().getSimpleName();
            detail = String.valueOf(error.getMessage());
        }
        var line = new LinkedHashMap<String, Object>();
        line.put("client", client);
        line.put("case", name);
        line.put("model", model);
        line.put("detail", detail);
        line.put("text", outcome.text);
        line.put("calls", outcome.calls);
        line.put("usage", outcome.usage);
        line.put("value", outcome.value);
        line.put("error", outcome.error);
        try {
            System.out.println(JSON.writeValueAsString(line));
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    public static void main(String[] args) {
        var clients = new LinkedHashMap<String, Map<String, Case>>();
        clients.put("openai-java chat", Map.of(
                "plain", chatText(PLAIN), "usage", Clients::chatUsage, "tool", chatLoop(TOOL),
                "loop", chatLoop(LOOP), "object", Clients::chatObject, "before", chatText(BEFORE),
                "inside", chatText(INSIDE), "cancel", Clients::chatCancel));
        clients.put("openai-java responses", Map.of(
                "plain", responsesText(PLAIN), "usage", responsesText(PLAIN),
                "tool", responsesLoop(TOOL), "loop", responsesLoop(LOOP),
                "object", Clients::responsesObject, "before", responsesText(BEFORE),
                "inside", responsesText(INSIDE), "cancel", Clients::responsesCancel));
        clients.put("anthropic-java", Map.of(
                "plain", messagesText(PLAIN), "usage", messagesText(PLAIN),
                "tool", messagesLoop(TOOL), "loop", messagesLoop(LOOP),
                "object", Clients::messagesObject, "before", messagesText(BEFORE),
                "inside", messagesText(INSIDE), "cancel", Clients::messagesCancel));
        clients.forEach((client, cases) -> {
            var all = new ArrayList<CompletableFuture<Void>>();
            cases.forEach((name, run) -> {
                for (int n = 1; n < args.length; n++) {
                    String model = args[n];
                    all.add(CompletableFuture.runAsync(() -> one(client, name, run, args[0], model)));
                }
            });
            all.forEach(CompletableFuture::join);
        });
        System.exit(0);
    }
}
