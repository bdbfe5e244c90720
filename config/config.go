package config

import (
	"time"

	"github.com/weir-gateway/weir/codec"
)

// Config is what weir.yaml says. Zero values mean "not said" only where the
// field's documentation says so; Default has all others filled in. A Config is
// not modified once loaded.
type Config struct {
	Listen     string              `yaml:"listen" doc:"Address to listen on. Beyond loopback, keys are required."`
	Providers  map[string]Provider `yaml:"providers" doc:"Providers by name. A name that the catalogue knows inherits everything from it; a provider whose usual key is in the environment needs no entry."`
	Models     map[string]Model    `yaml:"models" doc:"Names for clients to ask for, each standing for one or more deployments."`
	Keys       []Key               `yaml:"keys" doc:"Gateway keys. With at least one, every request needs one."`
	Strict     bool                `yaml:"strict" doc:"Refuse with 400 what a translation between protocols would have to drop or approximate, instead of noting it."`
	KeepAlive  time.Duration       `yaml:"keep_alive" doc:"How long a streaming client is left in silence before it gets a keep-alive; 0 sends none."`
	Timeouts   Timeouts            `yaml:"timeouts" doc:"Time limits of one upstream attempt, four separate ones. 0 is no limit."`
	Retry      Retry               `yaml:"retry" doc:"How often and how fast a failed attempt is made again."`
	Breaker    Breaker             `yaml:"breaker" doc:"When a deployment that fails or is slow is left alone."`
	Hedge      Hedge               `yaml:"hedge" doc:"Second calls beside slow ones, for models that say hedge."`
	Routing    Routing             `yaml:"routing" doc:"Rules that choose the model by what the request is."`
	Degraded   []Degraded          `yaml:"degraded" doc:"Answers for when every deployment has failed; the first that fits is given, and marked as such."`
	Share      bool                `yaml:"share" doc:"Identical requests of one key that are in flight at the same time share one call."`
	Idempotent Idempotency         `yaml:"idempotency" doc:"Requests that are sent again with the same Idempotency-Key."`
	Zones      []string            `yaml:"zones" doc:"Zones by nearness, that of this gateway first. Deployments of nearer zones are asked first."`
	Limits     Limits              `yaml:"limits" doc:"Bounds on size and number."`
	Disconnect Disconnect          `yaml:"disconnect" doc:"What happens upstream when the client goes away."`
	State      State               `yaml:"state" doc:"What is kept in memory between the requests of a conversation."`
	Drain      Drain               `yaml:"drain" doc:"What happens on SIGTERM."`
	Log        Log                 `yaml:"log" doc:"Logging, to standard error."`

	// AccountResources lets clients with keys at what the provider's account holds.
	AccountResources bool `yaml:"account_resources" doc:"Relay files, batches and other resources of a provider's account for clients with gateway keys too. All keys then see the same account. Without gateway keys it is on."`

	file    string
	sources map[string]Position
}

// Provider is one account at one vendor, or a server of one's own.
type Provider struct {
	Like      string             `yaml:"like" doc:"Catalogue entry to inherit from, for a second account or a server of one's own (vllm, ollama, openai …)."`
	Key       Secret             `yaml:"key" doc:"API key: the key itself, ${VARIABLE}, or file:/path."`
	Keys      []Secret           `yaml:"keys" doc:"Several API keys of the same account type; a refused one is set aside alone."`
	BaseURL   string             `yaml:"base_url" doc:"Replaces the catalogue's endpoint. With or without /v1."`
	Protocol  string             `yaml:"protocol" doc:"Wire protocol at base_url, such as openai.chat, openai.responses or anthropic.messages. Default: the catalogue's, else openai.chat."`
	Endpoints map[string]string  `yaml:"endpoints" doc:"Base URLs by protocol, for a server that speaks several."`
	Auth      *Auth              `yaml:"auth" doc:"How a credential is sent and come by. Default: the catalogue's, else bearer."`
	Variables map[string]Secret  `yaml:"variables" doc:"Values for this provider in place of environment variables: parts of addresses (AWS_REGION, GOOGLE_CLOUD_PROJECT …) and credentials of clouds (AWS_ACCESS_KEY_ID …)."`
	Headers   map[string]string  `yaml:"headers" doc:"Headers to add to every request."`
	Models    []ProviderModel    `yaml:"models" doc:"Models of a server of one's own. Models that are not listed can be called all the same."`
	Quirks    *codec.Quirks      `yaml:"quirks" doc:"Deviations from the protocol, over the catalogue's."`
	MaxConns  int                `yaml:"max_connections" doc:"Concurrent upstream calls at most; 0 is no limit. One stalled provider then cannot take everything."`
	Timeouts  *TimeoutsOverrides `yaml:"timeouts" doc:"Time limits for this provider, over the general ones."`
	Adaptive  Adaptive           `yaml:"adaptive" doc:"A limit on the calls in progress at each deployment that follows what it can take. Calls beyond it wait for their turn, or go elsewhere when that would take too long."`
	Zone      string             `yaml:"zone" doc:"Zone in which it is; empty is everywhere."`
	Disabled  bool               `yaml:"disabled" doc:"Never use it, even if its key is in the environment."`
}

// ProviderModel is a model that the catalogue does not know.
type ProviderModel struct {
	ID        string `yaml:"id" doc:"The provider's name of the model."`
	Context   int64  `yaml:"context" doc:"Context length in tokens; 0 is not known."`
	MaxOutput int64  `yaml:"max_output" doc:"Longest answer in tokens; 0 is not known."`
}

// Model is a name that stands for deployments. In YAML it may be one
// deployment, a list of them, or a mapping.
type Model struct {
	Deployments []string `yaml:"deployments" doc:"provider/model, best first."`
	Fallbacks   []string `yaml:"fallbacks" doc:"Models or deployments to go on with when all of the above fail."`

	Strategy string         `yaml:"strategy" doc:"Which deployment is asked first: ordered (the default), weighted, latency, least_busy, cheapest or sticky."`
	Weights  map[string]int `yaml:"weights" doc:"Shares of deployments, 1 where nothing is said. Below 0: only when the others cannot."`
	StickyBy string         `yaml:"sticky_by" doc:"What keeps requests together for sticky and split: session (the default), prompt (its beginning, for the provider's cache) or principal."`
	Busy     int            `yaml:"busy" doc:"Calls in progress that make a deployment busy: others are preferred, in a further zone too. 0 is no bound."`
	Split    []Split        `yaml:"split" doc:"Parts of the requests that go to other models, for A/B tests and canaries."`
	Shadow   []Shadow       `yaml:"shadow" doc:"Models that are asked too, without anybody getting their answers."`
	Hedge    bool           `yaml:"hedge" doc:"Ask the next deployment too when the first is slower than 95 of 100 of its answers; the first to answer wins."`
	Continue bool           `yaml:"continue" doc:"When an answer breaks off, have the next deployment go on with it, where that can."`
	Refusals bool           `yaml:"refusals" doc:"Go on with the next deployment when one refuses the content, too."`
	Rules    []Rule         `yaml:"rules" doc:"Rules for requests that ask for this model; the first that holds decides."`
}

// Key is one gateway key.
type Key struct {
	Name   string   `yaml:"name" doc:"Who this is; it appears in logs in place of the key."`
	Hash   string   `yaml:"hash" doc:"sha256:… as printed by weir keys new. The key itself is never stored."`
	Models []string `yaml:"models" doc:"Models that may be used, * and ? allowed; empty is all."`
	Admin  bool     `yaml:"admin" doc:"May also look at /admin: the health of all deployments, and what would become of a request."`
}

// State is what is kept between requests, in memory and for a time.
type State struct {
	Responses Responses `yaml:"responses" doc:"Responses and conversations of the Responses API, for previous_response_id and for fetching them again. They hold prompts and answers."`
	Reasoning Reasoning `yaml:"reasoning" doc:"Reasoning of turns with tool calls, put back for clients that cannot carry it. It may repeat prompts."`
}

// Responses bounds what is kept of the Responses API.
type Responses struct {
	Keep bool          `yaml:"keep" doc:"Keep them, unless a request says store: false."`
	TTL  time.Duration `yaml:"ttl" doc:"How long after the last use."`
	Max  Size          `yaml:"max" doc:"How much in all; what was longest not used goes first."`
}

// Reasoning bounds what is kept of reasoning.
type Reasoning struct {
	Keep bool          `yaml:"keep" doc:"Keep it."`
	TTL  time.Duration `yaml:"ttl" doc:"How long after the last use."`
	Max  Size          `yaml:"max" doc:"How much in all; what was longest not used goes first."`
}

// Timeouts are the four limits of an upstream attempt.
type Timeouts struct {
	Connect    time.Duration `yaml:"connect" doc:"TCP and TLS handshake."`
	FirstToken time.Duration `yaml:"first_token" doc:"From the request to the first piece of the answer; reasoning models are slow to start."`
	Idle       time.Duration `yaml:"idle" doc:"Between two pieces of a stream. Weir's own keep-alives do not count."`
	Total      time.Duration `yaml:"total" doc:"The whole attempt. 0, the default, lets a healthy stream run as long as it likes."`
}

// TimeoutsOverrides are the limits that one provider has of its own; nil is
// the general one.
type TimeoutsOverrides struct {
	Connect    *time.Duration `yaml:"connect" doc:"TCP and TLS handshake."`
	FirstToken *time.Duration `yaml:"first_token" doc:"From the request to the first piece of the answer."`
	Idle       *time.Duration `yaml:"idle" doc:"Between two pieces of a stream."`
	Total      *time.Duration `yaml:"total" doc:"The whole attempt."`
}

// Retry bounds attempts.
type Retry struct {
	Attempts      int           `yaml:"attempts" doc:"Upstream attempts for one request at most, retries and fallbacks together."`
	PerDeployment int           `yaml:"per_deployment" doc:"Attempts at one deployment at most before the next one is tried. 0 is what the class of the error says."`
	Max           time.Duration `yaml:"max" doc:"Longest Retry-After that is waited for; with a longer one the error is told at once."`
	Classes       RetryClasses  `yaml:"classes" doc:"What is done about each class of errors, over the defaults."`
}

// Limits bound sizes and numbers.
type Limits struct {
	Body     Size `yaml:"body" doc:"Largest request body; a larger one is answered with 413."`
	InFlight Size `yaml:"in_flight" doc:"Bodies of all requests being served, together; further ones wait for their turn."`
	Frame    Size `yaml:"frame" doc:"Largest single event of an upstream stream (a base64 image is one event)."`
	Answer   Size `yaml:"answer" doc:"Largest answer that is not streamed."`
	Header   Size `yaml:"header" doc:"Largest request header."`
}

// Disconnect says what becomes of an upstream call whose client has gone.
type Disconnect struct {
	Drain time.Duration `yaml:"drain" doc:"How long an answer that has begun is still read for its final usage before it is cancelled; usage is estimated after that. 0 cancels at once. A call that has not begun to answer is always cancelled at once."`
}

// Drain says how the gateway stops.
type Drain struct {
	Delay   time.Duration `yaml:"delay" doc:"How long /readyz fails before listeners close, so that load balancers can turn away."`
	Timeout time.Duration `yaml:"timeout" doc:"How long requests in flight may go on after that. A second signal ends them."`
}

// Log says what is logged.
type Log struct {
	Level  string `yaml:"level" doc:"debug, info, warn or error."`
	Format string `yaml:"format" doc:"text or json."`
	Access bool   `yaml:"access" doc:"One line per request. Never a prompt, never a key."`
}

// Default is the configuration of an empty file.
func Default() *Config {
	return &Config{
		Listen:    "127.0.0.1:8080",
		KeepAlive: 15 * time.Second,
		Timeouts:  Timeouts{Connect: 10 * time.Second, FirstToken: 5 * time.Minute, Idle: 2 * time.Minute},
		Retry:     Retry{Attempts: 4, Max: 32 * time.Second},
		Breaker: Breaker{
			Window: time.Minute, FailureRate: 0.5, MinCalls: 10, Open: 30 * time.Second, MaxOpen: time.Minute, Probes: 5,
			Eject: Eject{Factor: 3, Floor: time.Second},
		},
		Hedge:      Hedge{Budget: 0.05},
		Idempotent: Idempotency{Keep: true, TTL: time.Hour, Max: 64 << 20},
		Limits:     Limits{Body: 64 << 20, InFlight: 1 << 30, Frame: 64 << 20, Answer: 64 << 20, Header: 64 << 10},
		Disconnect: Disconnect{Drain: 2 * time.Second},
		State: State{
			Responses: Responses{Keep: true, TTL: 24 * time.Hour, Max: 256 << 20},
			Reasoning: Reasoning{Keep: true, TTL: time.Hour, Max: 64 << 20},
		},
		Drain:   Drain{Timeout: 10 * time.Minute},
		Log:     Log{Level: "info", Format: "text", Access: true},
		sources: map[string]Position{},
	}
}

// File is the name of the file that the configuration came from; empty when
// there was none.
func (c *Config) File() string { return c.file }

// Position is where the value of path was said; ok is false when it is a
// default.
func (c *Config) Position(path string) (p Position, ok bool) {
	p, ok = c.sources[path]
	return p, ok
}
