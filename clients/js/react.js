"use client";

import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Conversation } from "./conversation.js";

/** See react.d.ts. */
export function useStream(options = {}) {
  const [held, hold] = useState(() => new Conversation(options));
  let conversation = held;
  if (held.id !== options.id) hold((conversation = new Conversation(options)));

  useEffect(() => {
    conversation.options = options; // before `attach`, which uses them
  });
  useEffect(() => {
    conversation.attach();
    return () => conversation.detach();
  }, [conversation]);

  const { subscribe, getSnapshot, getInitialSnapshot, send, stop, resume } = conversation;
  const snapshot = useSyncExternalStore(subscribe, getSnapshot, getInitialSnapshot);
  return useMemo(() => ({ ...snapshot, send, stop, resume }), [snapshot, send, stop, resume]);
}
