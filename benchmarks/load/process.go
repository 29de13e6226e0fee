package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processes are those whose use of resources is measured.
type processes []int

func (p *processes) String() string { return fmt.Sprint(*p) }

// Set takes process ids, separated by commas.
func (p *processes) Set(text string) error {
	for _, part := range strings.Split(text, ",") {
		pid, err := strconv.Atoi(part)
		if err != nil {
			return err
		}
		*p = append(*p, pid)
	}
	return nil
}

// cpu is the CPU time used so far by all their threads, in seconds.
func (p processes) cpu() float64 {
	total := 0.0
	for _, pid := range p {
		found, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, name := range found {
			total += nanoseconds(name) / 1e9
		}
	}
	return total
}

func nanoseconds(name string) float64 {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0 // the thread has ended
	}
	value, _ := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	return value
}

// memory is their resident memory, in KiB.
func (p processes) memory() float64 {
	total := 0.0
	for _, pid := range p {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			pages, _ := strconv.ParseFloat(fields[1], 64)
			total += pages * float64(os.Getpagesize()) / 1024
		}
	}
	return total
}
