import { chatPath, forward } from "../../forward.js";

export async function GET(request, { params }) {
  const path = chatPath((await params).id, "stream");
  return path ? forward(request, path) : new Response(null, { status: 404 });
}
