//! The script for AWS's Rust runtime.

use std::{env, path::Path, pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{stream, Stream, StreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use lambda_http::{run_with_streaming_response, service_fn, Error, Request, Response};
use tokio::time::sleep;

type Part = Result<Frame<Bytes>, Error>;
type Body = StreamBody<Pin<Box<dyn Stream<Item = Part> + Send>>>;

fn part(text: &'static str) -> Part {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn once(text: &'static str) -> Body {
    StreamBody::new(stream::iter([part(text)]).boxed())
}

fn nothing() -> Body {
    StreamBody::new(stream::iter([]).boxed())
}

fn then<F>(first: &'static str, second: F) -> Body
where
    F: std::future::Future<Output = Part> + Send + 'static,
{
    StreamBody::new(stream::iter([part(first)]).chain(stream::once(second)).boxed())
}

async fn signalled() -> Part {
    let signal = env::var("SIGNAL").unwrap();
    for _ in 0..100 {
        if Path::new(&signal).exists() {
            return part("two");
        }
        sleep(Duration::from_millis(20)).await;
    }
    part("late")
}

async fn failing(text: String) -> Part {
    sleep(Duration::from_millis(100)).await;
    Err(text.into())
}

async fn late() -> Part {
    sleep(Duration::from_secs(5)).await;
    part("late")
}

async fn handle(request: Request) -> Result<Response<Body>, Error> {
    let plain = || Response::builder().header("content-type", "text/plain");
    let response = match request.uri().path() {
        "/streamed" => plain().body(then("one", signalled()))?,
        "/headers" => plain()
            .status(201)
            .header("x-one", "1")
            .header("x-two", "1")
            .header("x-two", "2")
            .header("set-cookie", "a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT")
            .header("set-cookie", "b=2")
            .body(once("hello"))?,
        "/no-content" => Response::builder().status(204).body(nothing())?,
        "/before" => return Err("sk-secret".into()),
        "/inside" => plain().body(then("begun", failing("sk-secret".into())))?,
        "/long" => plain().body(then("begun", failing("sk-secret".repeat(556))))?,
        "/deadline" => plain().body(then("begun", late()))?,
        _ => plain().body(nothing())?,
    };
    Ok(response)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    run_with_streaming_response(service_fn(handle)).await
}
