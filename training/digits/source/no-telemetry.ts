/** Imported first: ONNX Runtime tells its makers of every session unless its environment says otherwise as it is loaded. */
process.env.ORT_DISABLE_TELEMETRY ??= '1'
