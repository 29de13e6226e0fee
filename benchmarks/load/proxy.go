package main

import (
	"flag"
	"net"
	"net/http"
)

// proxy forwards requests to the target, and flushes what each read returns.
func proxy(arguments []string) error {
	flags := flag.NewFlagSet("proxy", flag.ExitOnError)
	address := flags.String("addr", "127.0.0.1:0", "where to listen")
	target := flags.String("target", "", "URL of the provider, without a path")
	flags.Parse(arguments)
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	report(map[string]int{"port": listener.Addr().(*net.TCPAddr).Port})
	transport := &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forward(transport, *target, w, r)
	}))
}

func forward(transport *http.Transport, target string, w http.ResponseWriter, r *http.Request) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.Path, r.Body)
	if err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	request.Header = r.Header.Clone()
	request.ContentLength = r.ContentLength
	response, err := transport.RoundTrip(request)
	if err != nil {
		http.Error(w, "bad gateway", http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	w.Header().Set("Content-Type", response.Header.Get("Content-Type"))
	w.WriteHeader(response.StatusCode)
	buffer := make([]byte, 32*1024)
	for {
		count, err := response.Body.Read(buffer)
		if count > 0 {
			if _, failure := w.Write(buffer[:count]); failure != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
		if err != nil {
			return
		}
	}
}
