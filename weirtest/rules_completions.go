package weirtest

// completionsRules are what the legacy completions cannot say.
var completionsRules = []answerRule{}
