import "./style.css";

export const metadata = { title: "tokenwire: Next.js and the AI SDK" };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
