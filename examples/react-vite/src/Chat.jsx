import { useStream } from "tokenwire/react";

export function Chat() {
  const { messages, status, error, send, stop, resume } = useStream({ id: "main" });
  const running = ["submitted", "streaming", "reconnecting"].includes(status);

  function ask(event) {
    event.preventDefault();
    if (running) return;
    const form = event.currentTarget;
    send(new FormData(form).get("question"));
    form.reset();
  }

  return (
    <main>
      <h1>React, with useStream</h1>
      <ol aria-live="polite">
        {messages.map(({ id, role, content }) => (
          <li key={id} data-role={role}>{content}</li>
        ))}
        {error && (
          <li data-role="error">
            {error.message} <button onClick={resume}>Resume</button>
          </li>
        )}
      </ol>
      <form onSubmit={ask}>
        <input name="question" placeholder="Ask something" autoComplete="off" aria-label="Question" required />
        {running ? <button type="button" onClick={stop}>Stop</button> : <button>Send</button>}
      </form>
      <p className="status">{status}</p>
    </main>
  );
}
