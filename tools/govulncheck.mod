module github.com/weir-gateway/weir/tools/govulncheck

go 1.26.0

// The version of x/telemetry that govulncheck v1.9.0 asks for cannot be had
// from every module proxy; the one a day older can, and x/tools v0.52.0, which
// govulncheck v1.9.0 builds with, asks for it. A tool's modfile may hold a
// replace: nobody installs through it.
replace golang.org/x/telemetry => golang.org/x/telemetry v0.0.0-20261009151841-97e8ea77aa2a

tool golang.org/x/vuln/cmd/govulncheck

require (
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/telemetry v0.0.0-20261010193011-f71dc92da45e // indirect
	golang.org/x/tools v0.52.0 // indirect
	golang.org/x/vuln v1.9.0 // indirect
)
