// Command load is the scripted provider, the baseline proxy and the load client of the benchmarks.
//
// Each subcommand prints one line of JSON to standard output. "load help" lists them.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

const usage = `load COMMAND [FLAGS]; load COMMAND -h lists the flags.

upstream  A provider of the Chat Completions API. The request's "model" selects the answer:
          paced-N-R  N blocks, R a second
          bulk-N     N blocks in rapid succession
          idle       one block, then nothing until the client leaves
          one        a short, complete answer
          Prints {"port": N} and serves until it is killed.
proxy     A proxy of net/http that flushes every read: the baseline. Prints {"port": N}.
paced     Open streams of -model paced-N-R, and measure -seconds of them once all have begun.
bulk      Open streams of -model bulk-N, and measure them to their end.
first     Request -model one, one after the other, from -url and -direct in turn.
idle      Open streams of -model idle, and measure the memory of -pid.
slow      Open streams of -model bulk-N, read none of them, and measure the memory of -pid.
board     Run -streams at once until -requests are complete: time to the first text, and the delay of
          each block, as their 99th percentiles.
`

func main() {
	commands := map[string]func([]string) error{
		"upstream": upstream,
		"proxy":    proxy,
		"paced":    paced,
		"bulk":     bulk,
		"first":    first,
		"idle":     idle,
		"slow":     slow,
		"board":    board,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func report(result any) error {
	return json.NewEncoder(os.Stdout).Encode(result)
}
