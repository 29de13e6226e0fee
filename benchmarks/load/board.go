package main

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

type boardResult struct {
	Streams  int     `json:"streams"`
	Requests int     `json:"requests"`
	Broken   int64   `json:"broken"`
	First99  float64 `json:"first_ms_p99"`
	Token50  float64 `json:"token_ms_p50"`
	Token99  float64 `json:"token_ms_p99"`
	CPU      float64 `json:"cpu_us_per_block"`
}

// board keeps -streams answers running until -requests are complete. Run it once for the subject
// and once for the provider itself: what the subject adds is the difference.
func board(arguments []string) error {
	s := parse("board", arguments, 1, "paced-64-50")
	var measuring atomic.Bool
	measuring.Store(true)
	cpu := s.subjects.cpu()
	var broken, blocks, left atomic.Int64
	left.Store(int64(max(s.requests, s.streams)))
	var lock sync.Mutex
	var firsts []float64
	var streams []*stream
	var done sync.WaitGroup
	request := s.request()
	for range s.streams {
		done.Add(1)
		go func() {
			defer done.Done()
			one, err := open(s.host, &measuring)
			if err != nil {
				broken.Add(1)
				return
			}
			defer one.connection.Close()
			var mine []float64
			for left.Add(-1) >= 0 {
				took, err := untilText(one, request)
				if err != nil {
					broken.Add(1)
					break
				}
				mine = append(mine, took)
				blocks.Add(one.blocks.Load())
			}
			lock.Lock()
			defer lock.Unlock()
			firsts, streams = append(firsts, mine...), append(streams, one)
		}()
		time.Sleep(20 * time.Millisecond / time.Duration(s.streams)) // spread over one interval
	}
	done.Wait()
	result := boardResult{Streams: s.streams, Requests: len(firsts), Broken: broken.Load()}
	if len(firsts) > 0 {
		slices.Sort(firsts)
		result.First99 = firsts[len(firsts)*99/100]
		result.CPU = (s.subjects.cpu() - cpu) / float64(blocks.Load()) * 1e6
	}
	result.Token50, result.Token99 = delays(streams)
	return report(result)
}

type slowResult struct {
	Streams int     `json:"streams"`
	Broken  int64   `json:"broken"`
	KiB     float64 `json:"kib_per_stream"`
	Blocks  int64   `json:"blocks_delivered"`
}

// slow measures what a subject keeps for clients that have stopped reading.
func slow(arguments []string) error {
	s := parse("slow", arguments, 50, "bulk-40000")
	before, request := s.subjects.memory(), s.request()
	var stuck atomic.Bool
	stuck.Store(true)
	streams, _, broken, err := s.openAll(nil, func(one *stream) error {
		if err := one.send(request); err != nil {
			return err
		}
		for one.blocks.Load() == 0 {
			if _, err := one.read(); err != nil {
				return err
			}
		}
		for stuck.Load() {
			time.Sleep(10 * time.Millisecond)
		}
		return nil
	})
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(s.seconds * float64(time.Second)))
	grown := s.subjects.memory() - before
	failed := broken.Load()
	stuck.Store(false)
	return report(slowResult{s.streams, failed, grown / float64(s.streams), total(streams)})
}
