/** Must be imported before ONNX Runtime, which reads the variable when it is loaded. Unset, it would report every session. */
process.env.ORT_DISABLE_TELEMETRY ??= '1'
