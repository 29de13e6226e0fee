package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// scenario is what all scenarios have in common.
type scenario struct {
	host, direct, model, prefix, dialect string
	streams, requests                    int
	seconds                              float64
	subjects                             processes
	headers                              headers
}

func parse(name string, arguments []string, streams int, model string) *scenario {
	s := &scenario{}
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	flags.StringVar(&s.host, "host", "", "HOST:PORT of what is measured")
	flags.StringVar(&s.direct, "direct", "", "HOST:PORT of the provider (first)")
	flags.StringVar(&s.model, "model", model, "selects the provider's answer")
	flags.StringVar(&s.prefix, "prefix", "", "stands before the model, such as openai/")
	flags.StringVar(&s.dialect, "dialect", "chat", "chat, messages, responses, ui or events")
	flags.IntVar(&s.streams, "streams", streams, "streams, or requests (first)")
	flags.IntVar(&s.requests, "requests", 0, "to complete (board)")
	flags.Float64Var(&s.seconds, "seconds", 5, "for which to measure (paced)")
	flags.Var(&s.subjects, "pid", "processes to measure, separated by commas")
	flags.Var(&s.headers, "header", "a header that requests have, such as \"x-name: value\"; may be repeated")
	flags.Parse(arguments)
	return s
}

func (s *scenario) request() []byte { return requestBytes(s.dialect, s.prefix+s.model, s.headers) }

// openAll starts every stream; begun is called once each has had its first text.
func (s *scenario) openAll(measuring *atomic.Bool, run func(*stream) error) (
	[]*stream, *sync.WaitGroup, *atomic.Int64, error,
) {
	var broken atomic.Int64
	var done sync.WaitGroup
	streams := make([]*stream, s.streams)
	for at := range streams {
		opened, err := open(s.host, measuring)
		if err != nil {
			return nil, nil, nil, err
		}
		opened.begun = make(chan struct{})
		streams[at] = opened
		begun := opened.begun
		failed := make(chan struct{})
		done.Add(1)
		go func() {
			defer done.Done()
			defer opened.connection.Close()
			err := run(opened)
			if err != nil && !errors.Is(err, net.ErrClosed) && broken.Add(1) == 1 {
				fmt.Fprintln(os.Stderr, "load:", err)
			}
			close(failed)
		}()
		if at%20 == 19 { // not all at once: connecting is not what is measured
			select {
			case <-begun:
			case <-failed:
			}
		}
	}
	return streams, &done, &broken, nil
}

func total(streams []*stream) int64 {
	sum := int64(0)
	for _, one := range streams {
		sum += one.blocks.Load()
	}
	return sum
}

type pacedResult struct {
	Streams     int     `json:"streams"`
	Broken      int64   `json:"broken"`
	Blocks      int64   `json:"blocks"`
	PerSecond   float64 `json:"blocks_per_second"`
	CPU         float64 `json:"cpu_us_per_block"`
	ClientCPU   float64 `json:"client_cpu_us_per_block"`
	DelayMedian float64 `json:"delay_ms_p50"`
	Delay99     float64 `json:"delay_ms_p99"`
}

// paced measures a time in which every stream runs.
func paced(arguments []string) error {
	s := parse("paced", arguments, 200, "paced-1000-50")
	var measuring atomic.Bool
	request := s.request()
	streams, _, broken, err := s.openAll(&measuring, func(one *stream) error { return one.run(request) })
	if err != nil {
		return err
	}
	time.Sleep(time.Second)
	own := processes{os.Getpid()}
	measuring.Store(true)
	began, cpu, client, blocks := time.Now(), s.subjects.cpu(), own.cpu(), total(streams)
	time.Sleep(time.Duration(s.seconds * float64(time.Second)))
	measuring.Store(false)
	took := time.Since(began).Seconds()
	spent, clientSpent, count := s.subjects.cpu()-cpu, own.cpu()-client, total(streams)-blocks
	failed := broken.Load()
	for _, one := range streams {
		one.connection.Close()
	}
	if count == 0 {
		return fmt.Errorf("no block arrived while it was measured; %d of %d streams broke off", failed, s.streams)
	}
	result := pacedResult{
		Streams: s.streams, Broken: failed, Blocks: count, PerSecond: float64(count) / took,
		CPU: spent / float64(count) * 1e6, ClientCPU: clientSpent / float64(count) * 1e6,
	}
	time.Sleep(50 * time.Millisecond) // for the readers to see the closed connections
	result.DelayMedian, result.Delay99 = delays(streams)
	return report(result)
}

func delays(streams []*stream) (float64, float64) {
	var all []int32
	for _, one := range streams {
		all = append(all, one.delays...)
	}
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return float64(all[len(all)/2]) / 1e3, float64(all[len(all)*99/100]) / 1e3
}

type bulkResult struct {
	Streams int     `json:"streams"`
	Broken  int64   `json:"broken"`
	Blocks  int64   `json:"blocks"`
	CPU     float64 `json:"cpu_us_per_block"`
	Seconds float64 `json:"seconds"`
}

// bulk measures streams from their request to their end.
func bulk(arguments []string) error {
	s := parse("bulk", arguments, 50, "bulk-4000")
	count := int64(number(strings.Split(s.model, "-"), 1)) * int64(s.streams)
	request := s.request()
	began, cpu := time.Now(), s.subjects.cpu()
	_, done, broken, err := s.openAll(nil, func(one *stream) error { return one.run(request) })
	if err != nil {
		return err
	}
	done.Wait()
	spent := s.subjects.cpu() - cpu
	return report(bulkResult{
		s.streams, broken.Load(), count, spent / float64(count) * 1e6, time.Since(began).Seconds(),
	})
}

type firstResult struct {
	Requests int     `json:"requests"`
	Direct   float64 `json:"direct_ms_p50"`
	Median   float64 `json:"ms_p50"`
	Added    float64 `json:"added_ms_p50"`
	Added90  float64 `json:"added_ms_p90"`
	CPU      float64 `json:"cpu_ms_per_request"`
}

// first measures the time from a request to its first text, on connections that are kept alive.
func first(arguments []string) error {
	s := parse("first", arguments, 400, "one")
	subject, err := open(s.host, nil)
	if err != nil {
		return err
	}
	provider, err := open(s.direct, nil)
	if err != nil {
		return err
	}
	request, bare := s.request(), requestBytes("chat", s.model, nil)
	var through, direct []float64
	cpu := 0.0
	for at := range s.streams + 20 {
		took, err := untilText(provider, bare)
		if err != nil {
			return err
		}
		before := s.subjects.cpu()
		behind, err := untilText(subject, request)
		if err != nil {
			return err
		}
		time.Sleep(2 * time.Millisecond) // what follows the answer is a cost of the request too
		if at >= 20 {
			direct, through = append(direct, took), append(through, behind)
			cpu += s.subjects.cpu() - before
		}
	}
	slices.Sort(direct)
	slices.Sort(through)
	half, tenth := len(through)/2, len(through)*9/10
	return report(firstResult{
		s.streams, direct[half], through[half], through[half] - direct[half],
		through[tenth] - direct[half], cpu / float64(s.streams) * 1e3,
	})
}

// untilText returns the milliseconds to the first text, once the answer is complete.
func untilText(one *stream, request []byte) (float64, error) {
	one.begun = make(chan struct{})
	began := time.Now()
	if err := one.send(request); err != nil {
		return 0, err
	}
	for {
		complete, err := one.read()
		if err != nil {
			return 0, err
		}
		if one.begun == nil {
			took := time.Since(began).Seconds() * 1e3
			if !complete {
				err = one.rest()
			}
			return took, err
		}
		if complete {
			return 0, fmt.Errorf("an answer without text")
		}
	}
}

type idleResult struct {
	Streams int     `json:"streams"`
	Broken  int64   `json:"broken"`
	KiB     float64 `json:"kib_per_stream"`
}

// idle measures the resident memory of streams that wait for their next block.
func idle(arguments []string) error {
	s := parse("idle", arguments, 1000, "idle")
	before, request := s.subjects.memory(), s.request()
	streams, done, broken, err := s.openAll(nil, func(one *stream) error { return one.run(request) })
	if err != nil {
		return err
	}
	for range 200 {
		if total(streams) >= int64(s.streams) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(time.Second)
	grown, failed := s.subjects.memory()-before, broken.Load()
	for _, one := range streams {
		one.connection.Close()
	}
	done.Wait()
	return report(idleResult{s.streams, failed, grown / float64(s.streams)})
}
