package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine is what the figures were measured on.
type machine struct {
	cpu    string
	cores  int
	memory string
	kernel string
	goVer  string
	load   string // averages when it began
	when   time.Time
}

func readMachine() machine {
	m := machine{cores: runtime.NumCPU(), goVer: runtime.Version(), cpu: runtime.GOARCH, when: time.Now()}
	if v := field("/proc/cpuinfo", "model name"); v != "" {
		m.cpu = v
	}
	m.memory = field("/proc/meminfo", "MemTotal")
	m.kernel = firstLine("/proc/sys/kernel/osrelease")
	if f := strings.Fields(firstLine("/proc/loadavg")); len(f) >= 3 {
		m.load = strings.Join(f[:3], " ")
	}
	return m
}

func (m *machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s of memory, Linux %s, %s; load averages before: %s", m.cpu, m.cores, gigabytes(m.memory), m.kernel, m.goVer, m.load)
}

// gigabytes turns "24587900 kB" into "23.4 GiB".
func gigabytes(kb string) string {
	n, err := strconv.ParseFloat(strings.TrimSuffix(kb, " kB"), 64)
	if err != nil {
		return "an unknown amount"
	}
	return fmt.Sprintf("%.1f GiB", n/(1<<20))
}

func firstLine(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

// field is the value of the first line "name : value" of a file below /proc.
func field(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// twoCores are the first two of a list like "0-3,8", empty when there are not
// as many.
func twoCores(list string) (first, second string) {
	var cores []string
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		cores = append(cores, from)
		if n, err := strconv.Atoi(from); err == nil && isRange && to != from {
			cores = append(cores, strconv.Itoa(n+1))
		}
		if len(cores) > 1 {
			return cores[0], cores[1]
		}
	}
	return "", ""
}

// times is CPU time used so far, in ticks of a hundredth of a second.
type times struct{ all, busy, ours int64 }

// cpu reads what the machine and the programs of this benchmark have used.
func (b *bench) cpu() times {
	var t times
	f := strings.Fields(firstLine("/proc/stat"))
	for i := 1; i < len(f) && i <= 8; i++ { // guest time is already in user time
		n, _ := strconv.ParseInt(f[i], 10, 64)
		t.all += n
		if i != 4 && i != 5 { // idle and waiting for a disk
			t.busy += n
		}
	}
	t.ours = ticks(os.Getpid())
	seen := map[*process]bool{}
	for _, p := range b.running {
		if !seen[p] {
			t.ours += ticks(p.pid())
		}
		seen[p] = true
	}
	if b.upstream != nil {
		t.ours += ticks(b.upstream.pid())
	}
	return t
}

// othersSince is the share of the machine that others had since before.
func (t times) othersSince(before times) float64 {
	all := t.all - before.all
	if all <= 0 {
		return 0
	}
	return max(0, float64(t.busy-before.busy-(t.ours-before.ours))/float64(all))
}

// ticks is the CPU time of a process and of its children that have ended.
func ticks(pid int) int64 {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	// The program's name, in parentheses, may hold anything. What follows
	// begins with field 3 of proc_pid_stat(5); times are fields 14 to 17.
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	var sum int64
	for i := 11; i <= 14 && i < len(f); i++ {
		n, _ := strconv.ParseInt(string(f[i]), 10, 64)
		sum += n
	}
	return sum
}

// rss is the resident memory of a process in MiB.
func rss(pid int) float64 {
	kb := strings.TrimSuffix(field(filepath.Join("/proc", strconv.Itoa(pid), "status"), "VmRSS"), " kB")
	n, _ := strconv.ParseFloat(kb, 64)
	return n / 1024
}
