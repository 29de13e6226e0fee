module tokenwire/benchmarks/load

go 1.22
