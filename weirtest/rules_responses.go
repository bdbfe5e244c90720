package weirtest

// responsesRules are what the Responses API cannot say.
var responsesRules = []answerRule{}
