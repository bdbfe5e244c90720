package sim

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/weir-gateway/weir"
)

// maxParallel bounds how often one tool is called in a turn.
const maxParallel = 8

// asked are the tools that text speaks of, in the order of the offer.
func asked(text string, offered []*weir.Tool) []*weir.Tool {
	lower := strings.ToLower(text)
	said := wordsOf(lower)
	var out []*weir.Tool
	for _, t := range offered {
		if speaksOf(lower, said, t) {
			out = append(out, t)
		}
	}
	return out
}

// speaksOf reports whether text names the tool, or has every telling word of
// its name, in English or in the Chinese of the small dictionary below.
func speaksOf(lower string, said []string, t *weir.Tool) bool {
	if name := strings.ToLower(t.Name); name != "" && strings.Contains(lower, name) {
		return true
	}
	telling := tellingWords(t.Name)
	for _, w := range telling {
		if !slices.Contains(said, w) && !slices.Contains(said, w+"s") && !saysInChinese(lower, w) {
			return false
		}
	}
	return len(telling) > 0
}

// plainWords in a tool's name do not tell what it is about.
var plainWords = []string{"get", "set", "the", "a", "an", "of", "for", "in", "to", "do", "run", "current", "tool",
	"function", "fn", "my", "by", "mcp", "find", "fetch", "lookup", "list", "query", "read", "make", "create", "info"}

// dictionary holds the Chinese for what demonstration tools are usually about.
var dictionary = map[string]string{
	"weather": "天气", "time": "时间", "date": "日期", "search": "搜索", "calculate": "计算", "calculator": "计算",
	"stock": "股票", "price": "价格", "translate": "翻译", "map": "地图", "email": "邮件", "file": "文件",
	"temperature": "温度", "news": "新闻", "order": "订单", "city": "城市",
}

func saysInChinese(text, word string) bool {
	zh, ok := dictionary[word]
	return ok && strings.Contains(text, zh)
}

func tellingWords(name string) []string {
	return slices.DeleteFunc(wordsOf(strings.ToLower(splitCamel(name))), func(w string) bool {
		return slices.Contains(plainWords, w)
	})
}

func wordsOf(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !inWord(r) })
}

// splitCamel writes getWeather as get_Weather.
func splitCamel(s string) string {
	var b strings.Builder
	lower := false
	for _, r := range s {
		if lower && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		lower = unicode.IsLower(r)
		b.WriteRune(r)
	}
	return b.String()
}

// numberWords say how many calls are wanted.
var numberWords = map[string]int{"both": 2, "two": 2, "twice": 2, "parallel": 2, "simultaneously": 2, "three": 3, "four": 4, "five": 5}

var chineseNumbers = []struct {
	word string
	n    int
}{{"三个", 3}, {"三次", 3}, {"两个", 2}, {"两次", 2}, {"并行", 2}, {"同时", 2}, {"分别", 2}}

// timesAsked is how many calls the text wants of one tool, 1 when it does not
// say. A figure counts in front of a word like "calls" or "times" only: "what
// is 2 + 3" is one question.
func timesAsked(text string) int {
	said := wordsOf(strings.ToLower(text))
	n := 1
	for i, w := range said {
		n = max(n, numberWords[w])
		if figure, err := strconv.Atoi(w); err == nil && i+1 < len(said) &&
			slices.Contains([]string{"calls", "times", "tools", "cities", "parallel", "places"}, said[i+1]) {
			n = max(n, figure)
		}
	}
	for _, c := range chineseNumbers {
		if strings.Contains(text, c.word) {
			n = max(n, c.n)
		}
	}
	return min(n, maxParallel)
}
