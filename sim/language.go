package sim

import (
	"fmt"
	"strings"
	"unicode"
)

// A language is one that the simulated model answers in.
type language uint8

const (
	english language = iota
	chinese
	japanese
)

// detect tells the language by the script; what is not Chinese or Japanese is
// answered in English. A few ideographs in an English sentence leave it English.
func detect(text string) language {
	var han, kana, other int
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.IsLetter(r):
			other++
		}
	}
	switch {
	case (han+kana)*4 < other || han+kana == 0:
		return english
	case kana > 0:
		return japanese
	}
	return chinese
}

// words are the sentences of a language. Verbs: what was asked, a number, a
// tool's name and its result.
type words struct {
	hello, asked, nothing, images, sounds, files string
	key                                          string
	results, result, failed                      string
	thought, thoughtTools                        string
	alternative, filler                          string
	gap                                          string // between sentences
}

var speech = map[language]words{
	english: {
		hello:        "Hello! This is Weir's simulated model: no provider was called and nothing was billed.",
		asked:        "You asked: “%s”.",
		nothing:      "You did not ask anything yet, which is fine.",
		images:       "I was handed %d image(s); I can count them, but not look at them.",
		sounds:       "I was handed %d recording(s); I can count them, but not listen to them.",
		files:        "I was handed %d file(s); I can count them, but not read them.",
		key:          "For a real answer, give Weir the key of a provider, for instance in DEEPSEEK_API_KEY, and name one of its models.",
		results:      "The tools have answered:",
		result:       "%s says: %s",
		failed:       "%s failed: %s",
		thought:      "The question is “%s”. I am a simulation, so I will say that kindly and repeat the question.",
		thoughtTools: "The question is “%s”. A tool can help here, so I will call it.",
		alternative:  "(This is alternative %d of %d.)",
		filler:       "The simulated river runs on, one word after another, over the weir and down to the sea.",
		gap:          " ",
	},
	chinese: {
		hello:        "你好！我是 Weir 的模拟模型：没有调用任何真实的模型，也没有产生费用。",
		asked:        "你问的是：“%s”。",
		nothing:      "你还没有提问，没关系。",
		images:       "我收到了 %d 张图片：能数清，但看不见。",
		sounds:       "我收到了 %d 段录音：能数清，但听不见。",
		files:        "我收到了 %d 个文件：能数清，但读不了。",
		key:          "想得到真正的回答，请给 Weir 配置一个服务商的密钥（例如环境变量 DEEPSEEK_API_KEY），再指定它的模型。",
		results:      "工具的结果如下：",
		result:       "%s 返回：%s",
		failed:       "%s 出错：%s",
		thought:      "问题是“%s”。我只是模拟模型，会友好地说明这一点，并复述问题。",
		thoughtTools: "问题是“%s”。这里可以用工具，我来调用它。",
		alternative:  "（这是第 %d 个备选，共 %d 个。）",
		filler:       "模拟的河水一字一字地流过堰口，流向大海。",
	},
	japanese: {
		hello:        "こんにちは！私は Weir のシミュレーションモデルです。実際のモデルは呼び出されず、料金もかかっていません。",
		asked:        "ご質問：「%s」。",
		nothing:      "まだ質問はありませんが、大丈夫です。",
		images:       "画像を %d 枚受け取りました。数えることはできますが、見ることはできません。",
		sounds:       "音声を %d 件受け取りました。数えることはできますが、聞くことはできません。",
		files:        "ファイルを %d 件受け取りました。数えることはできますが、読むことはできません。",
		key:          "本物の回答には、プロバイダーのキー（例：DEEPSEEK_API_KEY）を Weir に設定し、そのモデルを指定してください。",
		results:      "ツールの結果：",
		result:       "%s の結果：%s",
		failed:       "%s は失敗しました：%s",
		thought:      "質問は「%s」です。シミュレーションであることを伝え、質問を繰り返します。",
		thoughtTools: "質問は「%s」です。ツールを呼び出します。",
		alternative:  "（%d 番目の候補、全 %d 件。）",
		filler:       "模擬の川は一語ずつ堰を越え、海へ流れていきます。",
	},
}

// quoteRunes is how much of the question is repeated.
const quoteRunes = 160

// quote is text on one line, shortened.
func quote(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > quoteRunes {
		return string(r[:quoteRunes]) + "…"
	}
	return text
}

// answer is the text that a prompt gets.
func (p *prompt) answer() string {
	w := speech[p.lang]
	if len(p.results) > 0 {
		return p.answerResults(w)
	}
	parts := []string{w.hello}
	if p.text == "" {
		parts = append(parts, w.nothing)
	} else {
		parts = append(parts, fmt.Sprintf(w.asked, quote(p.text)))
	}
	for _, c := range []struct {
		n      int
		phrase string
	}{{p.images, w.images}, {p.sounds, w.sounds}, {p.files, w.files}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf(c.phrase, c.n))
		}
	}
	return strings.Join(append(parts, w.key), w.gap)
}

func (p *prompt) answerResults(w words) string {
	lines := []string{w.results}
	for _, r := range p.results {
		phrase := w.result
		if r.isError {
			phrase = w.failed
		}
		lines = append(lines, fmt.Sprintf(phrase, r.name, r.text))
	}
	return strings.Join(lines, "\n")
}

// lengthen adds filler until text has at least n tokens.
func (p *prompt) lengthen(text string, n int) string {
	w := speech[p.lang]
	have, step := countTokens(text), countTokens(w.gap+w.filler)
	if int64(n) <= have {
		return text
	}
	times := (int64(n) - have + step - 1) / step
	return text + strings.Repeat(w.gap+w.filler, int(times))
}
