package weirtest

// ollamaRules are what Ollama cannot say.
var ollamaRules = []answerRule{}
