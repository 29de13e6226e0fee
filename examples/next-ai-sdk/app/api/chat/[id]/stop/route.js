import { chatPath, forward } from "../../forward.js";

export async function POST(request, { params }) {
  const path = chatPath((await params).id, "stop");
  return path ? forward(request, path) : new Response(null, { status: 404 });
}
