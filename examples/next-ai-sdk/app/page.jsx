"use client";

import { useEffect, useState } from "react";
import { Chat } from "./chat.jsx";

/** The chat of this tab: its id and its messages, from the browser's storage. */
export default function Page() {
  const [kept, setKept] = useState(null);
  useEffect(() => {
    const found = JSON.parse(sessionStorage.getItem("chat") ?? "null");
    setKept(found ?? { id: `chat-${Date.now()}-${Math.random().toString(36).slice(2)}`, messages: [] });
  }, []);
  return kept && <Chat id={kept.id} initialMessages={kept.messages} />;
}
