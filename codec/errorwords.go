package codec

import "github.com/weir-gateway/weir"

// The vendors' words for what went wrong, in lower case. Sources: the vendors'
// error pages as listed in each line's comment, read August to November 2026,
// and recorded answers.

// codeKinds are codes and types that mean the same wherever they are used.
var codeKinds = map[string]weir.Kind{
	"context_length_exceeded":      weir.KindContextLength, // OpenAI
	"contextwindowexceedederror":   weir.KindContextLength, // LiteLLM
	"tokens_too_long":              weir.KindContextLength, // Baidu v2
	"characters_too_long":          weir.KindContextLength, // Baidu v2
	"too_many_tokens":              weir.KindContextLength, // Cohere
	"exceed_context_size_error":    weir.KindContextLength, // llama.cpp
	"content_filter":               weir.KindContentFilter, // Azure, Kimi
	"content_filter_error":         weir.KindContentFilter, // Tencent
	"content_policy_violation":     weir.KindContentFilter, // OpenAI
	"contentpolicyviolationerror":  weir.KindContentFilter, // LiteLLM
	"responsibleaipolicyviolation": weir.KindContentFilter, // Azure
	"data_inspection_failed":       weir.KindContentFilter, // DashScope
	"datainspectionfailed":         weir.KindContentFilter, // DashScope
	"insufficient_quota":           weir.KindQuota,         // OpenAI
	"billing_hard_limit_reached":   weir.KindQuota,         // OpenAI
	"billing_error":                weir.KindQuota,         // Anthropic
	"exceeded_current_quota_error": weir.KindQuota,         // Kimi
	"arrearage":                    weir.KindQuota,         // DashScope
	"accountoverdueerror":          weir.KindQuota,         // Ark
	"quotaexceeded":                weir.KindQuota,         // Ark
	"budget_exceeded":              weir.KindQuota,         // LiteLLM
	"overloaded_error":             weir.KindOverloaded,    // Anthropic
	"engine_overloaded_error":      weir.KindOverloaded,    // Kimi
	"serveroverloaded":             weir.KindOverloaded,    // Ark
	"modelunavailable":             weir.KindOverloaded,    // DashScope
	"invalid_api_key":              weir.KindUpstreamAuth,  // OpenAI
	"invalidapikey":                weir.KindUpstreamAuth,  // DashScope
	"authentication_error":         weir.KindUpstreamAuth,  // Anthropic
	"authenticationerror":          weir.KindUpstreamAuth,  // Ark
	"invalid_authentication_error": weir.KindUpstreamAuth,  // Kimi
	"incorrect_api_key_error":      weir.KindUpstreamAuth,  // Kimi
	"invalid_iam_token":            weir.KindUpstreamAuth,  // Baidu v2
	"model_not_found":              weir.KindModelNotFound, // OpenAI
	"modelnotfound":                weir.KindModelNotFound, // DashScope
	"deploymentnotfound":           weir.KindModelNotFound, // Azure
	"invalid_model":                weir.KindModelNotFound, // Baidu v2, Mistral
	"unsupportedmodel":             weir.KindModelNotFound, // Ark
	"modelnotopen":                 weir.KindModelNotFound, // Ark
	"rate_limit_exceeded":          weir.KindRateLimit,     // OpenAI
	"rate_limit_error":             weir.KindRateLimit,     // Anthropic
	"rate_limit_reached_error":     weir.KindRateLimit,     // Kimi
	"ratelimitreached":             weir.KindRateLimit,     // Azure
	"rpm_rate_limit_exceeded":      weir.KindRateLimit,     // Baidu v2
	"tpm_rate_limit_exceeded":      weir.KindRateLimit,     // Baidu v2
	"limit_requests":               weir.KindRateLimit,     // DashScope
	"request_too_large":            weir.KindTooLarge,      // Anthropic
	"timeout_error":                weir.KindTimeout,       // Anthropic

	// AWS: the errors of bedrock-runtime (botocore, 2026-08-07) and common ones.
	"expiredtokenexception":               weir.KindUpstreamAuth,
	"expiredtoken":                        weir.KindUpstreamAuth,
	"unrecognizedclientexception":         weir.KindUpstreamAuth,
	"invalidclienttokenid":                weir.KindUpstreamAuth,
	"invalidsignatureexception":           weir.KindUpstreamAuth,
	"signaturedoesnotmatch":               weir.KindUpstreamAuth,
	"incompletesignature":                 weir.KindUpstreamAuth,
	"missingauthenticationtoken":          weir.KindUpstreamAuth,
	"missingauthenticationtokenexception": weir.KindUpstreamAuth,
	"servicequotaexceededexception":       weir.KindQuota,
	"modelnotreadyexception":              weir.KindOverloaded,
	"serviceunavailableexception":         weir.KindOverloaded,
	"modeltimeoutexception":               weir.KindTimeout,
	"modelerrorexception":                 weir.KindUpstream,
	"modelstreamerrorexception":           weir.KindUpstream,
	"internalserverexception":             weir.KindUpstream,
}

// codePrefixes are codes of which only the beginning is fixed.
var codePrefixes = []struct {
	prefix string
	kind   weir.Kind
}{
	{"sensitivecontentdetected", weir.KindContentFilter},        // Ark
	{"inputtextsensitivecontent", weir.KindContentFilter},       // Ark
	{"outputtextsensitivecontent", weir.KindContentFilter},      // Ark
	{"inputimagesensitivecontent", weir.KindContentFilter},      // Ark
	{"allocationquota", weir.KindQuota},                         // DashScope
	{"throttling", weir.KindRateLimit},                          // DashScope, AWS
	{"ratelimitexceeded", weir.KindRateLimit},                   // Ark
	{"modelaccounttpmratelimitexceeded", weir.KindRateLimit},    // Ark
	{"invalidendpointormodel.notfound", weir.KindModelNotFound}, // Ark
}

// glmCodes are the codes, numbers in strings, of Zhipu and those that come in
// the usual envelope.
var glmCodes = map[string]weir.Kind{
	"1000": weir.KindUpstreamAuth, "1001": weir.KindUpstreamAuth, "1002": weir.KindUpstreamAuth,
	"1003": weir.KindUpstreamAuth, "1004": weir.KindUpstreamAuth,
	"1112": weir.KindQuota, "1113": weir.KindQuota, "1211": weir.KindModelNotFound,
	"1261": weir.KindContextLength, "1301": weir.KindContentFilter,
	"1302": weir.KindRateLimit, "1303": weir.KindRateLimit, "1304": weir.KindQuota,
	"1305": weir.KindOverloaded, "1308": weir.KindQuota, "1309": weir.KindQuota, "1310": weir.KindQuota,
	"451001": weir.KindContentFilter, // Tencent TokenHub
	"429001": weir.KindRateLimit,
	"401007": weir.KindQuota, "401008": weir.KindQuota, "403004": weir.KindQuota,
	"502001": weir.KindUpstream,
}

// minimaxCodes are base_resp.status_code.
var minimaxCodes = map[string]weir.Kind{
	"1000": weir.KindUpstream, "1001": weir.KindTimeout, "1002": weir.KindRateLimit,
	"1004": weir.KindUpstreamAuth, "1008": weir.KindQuota, "1024": weir.KindUpstream,
	"1026": weir.KindContentFilter, "1027": weir.KindContentFilter, "1033": weir.KindUpstream,
	"1039": weir.KindRateLimit, "1041": weir.KindRateLimit, "2013": weir.KindInvalid,
	"2049": weir.KindUpstreamAuth, "2056": weir.KindQuota,
}

// baiduCodes are error_code of Qianfan v1.
var baiduCodes = map[string]weir.Kind{
	"4": weir.KindRateLimit, "17": weir.KindQuota, "18": weir.KindRateLimit, "19": weir.KindQuota,
	"110": weir.KindUpstreamAuth, "111": weir.KindUpstreamAuth,
	"336003": weir.KindInvalid, "336007": weir.KindContextLength, "336103": weir.KindContextLength,
	"336100": weir.KindOverloaded, "336501": weir.KindRateLimit, "336502": weir.KindRateLimit,
}

// flatCodes are the codes of {"code":…,"message":…}: iFlytek Spark, SiliconFlow.
var flatCodes = map[string]weir.Kind{
	"10003": weir.KindInvalid, "10004": weir.KindInvalid, "10005": weir.KindInvalid, "10163": weir.KindInvalid,
	"10007": weir.KindConflict, "10008": weir.KindOverloaded, "10110": weir.KindOverloaded,
	"10013": weir.KindContentFilter, "10014": weir.KindContentFilter, "10019": weir.KindContentFilter,
	"10907": weir.KindContextLength, "11200": weir.KindQuota, "11201": weir.KindQuota,
	"11202": weir.KindRateLimit, "11203": weir.KindRateLimit,
	"20012": weir.KindModelNotFound, "30001": weir.KindQuota, "50505": weir.KindOverloaded,
}

// typeKinds are types that say no more than a status does, for errors that come
// without a status of their own.
var typeKinds = map[string]weir.Kind{
	"invalid_request_error":    weir.KindInvalid,
	"permission_error":         weir.KindPermission,
	"not_found_error":          weir.KindNotFound,
	"conflict_error":           weir.KindConflict,
	"api_error":                weir.KindUpstream,
	"server_error":             weir.KindUpstream,
	"internal_server_error":    weir.KindUpstream,
	"service_unavailable":      weir.KindOverloaded,
	"unavailable_error":        weir.KindOverloaded,
	"timeout":                  weir.KindTimeout,
	"resource_not_found_error": weir.KindNotFound,

	"validationexception":       weir.KindInvalid, // AWS, in a stream
	"accessdeniedexception":     weir.KindPermission,
	"resourcenotfoundexception": weir.KindNotFound,
	"conflictexception":         weir.KindConflict,
}

// rpcKinds are google.rpc codes.
var rpcKinds = map[string]weir.Kind{
	"INVALID_ARGUMENT": weir.KindInvalid, "FAILED_PRECONDITION": weir.KindInvalid,
	"UNAUTHENTICATED": weir.KindUpstreamAuth, "PERMISSION_DENIED": weir.KindPermission,
	"NOT_FOUND": weir.KindNotFound, "RESOURCE_EXHAUSTED": weir.KindRateLimit,
	"UNAVAILABLE": weir.KindOverloaded, "DEADLINE_EXCEEDED": weir.KindTimeout, "INTERNAL": weir.KindUpstream,
}

var contextWords = []string{
	"maximum context length", "context length exceeded", "context_length_exceeded", "context window",
	"maximum context size", "available context size", "exceeds the context", "exceed context limit",
	"prompt is too long", "prompt too long", "input is too long", "input tokens exceeded",
	"exceeds the maximum number of tokens", "exceeded model token limit", "exceeds the model's max",
	"maximum input length", "range of input length should be", "max input characters",
	"maximum prompt length", "too many tokens: size limit", "total tokens of image and text exceed",
	"exceeds maximum length", "greater than the context length", "longer than the model's context",
	"longer than the maximum model length", "max_model_len", "max_prompt_tokens", "token limit exceeded",
	"tokens exceeds the limit", "reduce the length of the messages", "model's context limit",
	"input length exceeds", "超过模型", "上下文长度", "prompt 超长", "输入过长",
}

var filterWords = []string{
	"responsibleaipolicyviolation", "content management policy", "content_filter", "content filter",
	"data_inspection_failed", "datainspectionfailed", "inappropriate content", "content violates usage guidelines",
	"content_policy_violation", "content policy", "sensitive content", "sensitivecontentdetected",
	"rejected as a result of our safety system", "responsible ai practices", "flagged by moderation",
	"considered high risk", "内容安全", "敏感内容", "不安全或敏感",
}

var quotaWords = []string{
	"insufficient_quota", "insufficient balance", "exceeded your current quota", "credit balance is too low",
	"insufficient credits", "requires more credits", "billing_hard_limit", "billing hard limit",
	"arrearage", "account is in good standing", "overdue balance", "account balance", "余额不足", "欠费",
	"out of credits", "no credits", "spending limit",
}

var keyWords = []string{
	"api key not valid", "api_key_invalid", "incorrect api key", "invalid api key", "invalid api-key", "invalid x-api-key",
}

var modelWords = []string{
	"does not exist or you do not have access", "model not found", "model not exist", "model_not_found",
	"is not found for api version", "specified model not found", "model identifier is invalid",
	"publisher model", "unknown model", "no such model", "not a valid model", "model does not exist",
	"no endpoints found for", "is no longer accessible", "model's deployment", "模型不存在",
}

var overloadWords = []string{
	"overloaded", "server is busy", "currently busy", "at capacity", "over capacity", "model is getting throttled",
	"engine is currently overloaded", "try again later due to high demand", "系统繁忙",
}
