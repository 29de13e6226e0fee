"use client";

import { useChat } from "@ai-sdk/react";
import { useEffect } from "react";

export function Chat({ id, initialMessages }) {
  const { messages, sendMessage, status, error, stop } = useChat({ id, messages: initialMessages, resume: true });
  const running = status === "submitted" || status === "streaming";

  useEffect(() => {
    // An answer that runs is not kept: after a reload the server sends it again from its start.
    const complete = running && messages.at(-1)?.role === "assistant" ? messages.slice(0, -1) : messages;
    sessionStorage.setItem("chat", JSON.stringify({ id, messages: complete }));
  }, [id, messages, running]);

  async function stopAnswer() {
    await fetch(`/api/chat/${id}/stop`, { method: "POST" }); // stops the model
    await stop(); // alone, this would only disconnect
  }

  function ask(event) {
    event.preventDefault();
    if (running) return;
    const form = event.currentTarget;
    sendMessage({ text: new FormData(form).get("question") });
    form.reset();
  }

  return (
    <main>
      <h1>Next.js, with the AI SDK</h1>
      <ol aria-live="polite">
        {messages.map((message) => (
          <li key={message.id} data-role={message.role}>
            {message.parts.map((part) => (part.type === "text" ? part.text : "")).join("")}
          </li>
        ))}
        {error && <li data-role="error">{error.message}</li>}
      </ol>
      <form onSubmit={ask}>
        <input name="question" placeholder="Ask something" autoComplete="off" aria-label="Question" required />
        {running ? <button type="button" onClick={stopAnswer}>Stop</button> : <button>Send</button>}
      </form>
    </main>
  );
}
