/** Must be imported before ONNX Runtime, which reads this variable when it is loaded, and else reports every session. */
process.env.ORT_DISABLE_TELEMETRY ??= '1'
