import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page and the server share one origin, so no CORS and no key in the page are needed. In
// production, do the same in the reverse proxy; or set `base` in useStream, and the server's
// TOKENWIRE_CORS_ORIGINS.
const target = process.env.TOKENWIRE_URL ?? "http://127.0.0.1:8000";
const proxy = { "/api": target, "/v1": target };

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
});
