package weirtest

// geminiRules are what Gemini cannot say.
var geminiRules = []answerRule{}
