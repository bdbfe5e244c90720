package jsonx

import "strings"

const sseChunk = `{"id":"chatcmpl-9aBcDeFgHiJkLmNoPqRsTuVwXyZ01","object":"chat.completion.chunk","created":1712345678,"model":"gpt-4o-2024-08-06","system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":{"content":" Hello there"},"logprobs":null,"finish_reason":null}],"usage":null,"service_tier":"default"}`

// seeds are texts, good and bad, that fuzzing and property tests begin with.
var seeds = []string{
	``, ` `, `null`, `true`, `false`, `nul`, `{}`, `[]`, ` { } `, `[1,2,3]`, `{"a":1,"b":[{}]}`,
	`{"a":1,"a":2}`, `{"model":1,"mod\u0065l":2}`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83d\ud83d\ude00"`,
	`"\ude00\ud83d"`, `"\uD83Dx"`, `"é漢😀"`, "\"\xff\"", "\"\xed\xa0\x80\"", "\"a\nb\"", `"\x"`, `"\u12"`, `"abc`,
	`0`, `-0`, `01`, `-`, `1.`, `.5`, `1e`, `1e+`, `1E-5`, `1.5e+3`, `123456789012345678901234567890`,
	`9223372036854775807`, `9223372036854775808`, `-9223372036854775808`, `-9223372036854775809`,
	`1.0`, `1e3`, `10e-1`, `0e99`, `1e400`, `1e-400`, `{"a" : "b\"c\\" , "d":[1, [2]]}`, `[1 2]`, `{"a":1,}`, `[,]`, `{"a":tru}`,
	"\xef\xbb\xbf{}", `{"a":"` + strings.Repeat("x", 40) + `\n"}`, `[[[[[[]]]]]]`, `[}`, `{]`, `{"":""}`, `"\u0000\u001f\u007f\u2028"`,
	"\"0123456\x7f89abcdef\"", "\"0123456\x1f89abcdef\"", sseChunk,
}
