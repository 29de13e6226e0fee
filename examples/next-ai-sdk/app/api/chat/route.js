import { forward } from "./forward.js";

export const POST = (request) => forward(request);
