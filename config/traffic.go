package config

import "time"

// What follows is how traffic is steered, and what is done when vendors fail.

// Strategies of a model.
var strategies = []string{"ordered", "weighted", "latency", "least_busy", "cheapest", "sticky"}

// What a request may be kept together by.
var stickyKeys = []string{"session", "prompt", "principal"}

// Split sends a part of the requests for a model to another one.
type Split struct {
	Model   string  `yaml:"model" doc:"Model or deployment that gets them."`
	Percent float64 `yaml:"percent" doc:"How many of a hundred. The rest stays with the model."`
}

// Shadow asks a second model what the first one was asked.
type Shadow struct {
	Model   string  `yaml:"model" doc:"Model or deployment that is asked too. Nobody gets its answer."`
	Percent float64 `yaml:"percent" doc:"Of how many requests in a hundred. 0 is none."`
}

// Rule chooses a model by what a request is.
type Rule struct {
	Name string `yaml:"name" doc:"For people."`
	When string `yaml:"when" doc:"Condition in CEL over features of the request, such as tokens > 32000 or language == \"zh\"."`
	Use  string `yaml:"use" doc:"Model or deployment to be used when it holds."`
}

// Routing is what is asked before the model's name is looked up.
type Routing struct {
	Rules []Rule `yaml:"rules" doc:"Rules for every request; the first that holds decides."`
	Zone  string `yaml:"time_zone" doc:"Zone in which rules are told hour and weekday, such as Asia/Shanghai. Empty is UTC."`
}

// Breaker says when a deployment that fails is left alone.
type Breaker struct {
	Off         bool          `yaml:"off" doc:"Never leave one alone."`
	Window      time.Duration `yaml:"window" doc:"How far back failures count."`
	FailureRate float64       `yaml:"failure_rate" doc:"Part of the calls in the window that must have failed, above 0 and up to 1. Rate limits and errors of the request do not count."`
	MinCalls    int           `yaml:"min_calls" doc:"Calls in the window below which their rate says nothing."`
	Open        time.Duration `yaml:"open" doc:"How long it is left alone. It doubles with every probe that fails."`
	MaxOpen     time.Duration `yaml:"max_open" doc:"Longest time that it is left alone."`
	Probes      int           `yaml:"probes" doc:"Calls at a time that are let through after that, and how many of them must succeed."`
	Eject       Eject         `yaml:"eject" doc:"When a deployment is too slow to be chosen."`
}

// Eject says when a deployment is too slow.
type Eject struct {
	Off    bool          `yaml:"off" doc:"Never."`
	Factor float64       `yaml:"factor" doc:"By how much its mean time to the first token exceeds the median of its peers'."`
	Floor  time.Duration `yaml:"floor" doc:"What that time must exceed as well."`
}

// Hedge bounds second calls beside slow ones.
type Hedge struct {
	Budget float64 `yaml:"budget" doc:"Second calls at most, as a part of all calls."`
}

// Idempotency is about requests that are sent again with the same Idempotency-Key.
type Idempotency struct {
	Keep bool          `yaml:"keep" doc:"Answer them from the call that the first one made."`
	TTL  time.Duration `yaml:"ttl" doc:"How long an answer is kept."`
	Max  Size          `yaml:"max" doc:"How much in all; what expires soonest goes first."`
}

// Degraded is an answer for when nothing else is left.
type Degraded struct {
	Name     string   `yaml:"name" doc:"For people."`
	Models   []string `yaml:"models" doc:"Models that must have been asked for; empty is all."`
	Keywords []string `yaml:"keywords" doc:"Fits when one of them is in what the user said last."`
	Pattern  string   `yaml:"pattern" doc:"Regular expression (RE2) that fits when it is found there."`
	Answer   string   `yaml:"answer" doc:"The text, with places such as {{model}}, {{kind}} and {{retry_after}}."`
}

// RetryClasses is what is done about each class of errors.
type RetryClasses struct {
	RateLimit   RetryClass `yaml:"rate_limit" doc:"429. Default: 4 tries, exponential from 1s to 32s, or at once elsewhere."`
	BadGateway  RetryClass `yaml:"bad_gateway" doc:"502. Default: 3 tries, at once."`
	Unavailable RetryClass `yaml:"unavailable" doc:"503 and 529. Default: 2 tries, a random 5s to 15s apart, or at once elsewhere."`
	Timeout     RetryClass `yaml:"timeout" doc:"504, 408 and Weir's own time limits. Default: 2 tries, at once, the second with limits half as long again."`
	Connection  RetryClass `yaml:"connection" doc:"A connection that failed or broke. Default: 3 tries, linear from 500ms to 5s."`
	Server      RetryClass `yaml:"server" doc:"500 and other 5xx. Default: 2 tries, exponential from 500ms to 30s."`
}

// RetryClass is what is done about one class of errors. All zero is the default
// of the class.
type RetryClass struct {
	Tries     int           `yaml:"tries" doc:"Attempts at one deployment at most, the first included. 1 never tries again."`
	Base      time.Duration `yaml:"base" doc:"Shortest wait, or the first step."`
	Max       time.Duration `yaml:"max" doc:"Longest wait."`
	Shape     string        `yaml:"shape" doc:"none, linear, exponential or random."`
	Elsewhere bool          `yaml:"elsewhere" doc:"Go to another deployment at once while there is one."`
}

// Adaptive is a limit that follows what a deployment can take.
type Adaptive struct {
	Max       int           `yaml:"max" doc:"Highest limit; 0 is off."`
	Min       int           `yaml:"min" doc:"Lowest limit; 0 is 1."`
	Start     int           `yaml:"start" doc:"Limit to begin with; 0 is 8."`
	Queue     int           `yaml:"queue" doc:"Calls that may wait; 0 is as many as max, -1 none."`
	MaxWait   time.Duration `yaml:"max_wait" doc:"Longest wait for a turn; 0 is 10s. A call that would wait longer is refused at once."`
	Tolerance float64       `yaml:"tolerance" doc:"By how much the time to the first token may exceed its usual one before the limit goes down; 0 is 3."`
}
