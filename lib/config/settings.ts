import {
  bytes,
  fraction,
  hostList,
  type Kind,
  modelList,
  oneOf,
  originList,
  portList,
  secretList,
  servedModel,
  text,
  url,
  wholeNumber,
} from './setting-kinds.ts'

/** One setting. The flag is the variable in kebab-case: MAX_QUEUE is --max-queue. */
export interface Setting<T> {
  readonly env: string
  /** the default, written as a user would write it, and read by the same `kind` */
  readonly fallback: string
  readonly kind: Kind<T>
  readonly help: string
}

const DAY_MS = 86_400_000
const GIB = 2 ** 30

/** Every setting there is. A flag beats the environment, the environment beats the default; empty counts as unset. */
export const SETTINGS = {
  host: row('HOST', '127.0.0.1', text('an address'), 'address to listen on; 0.0.0.0 for every interface'),
  port: row('PORT', '2017', wholeNumber(0, 65535), 'port to listen on; 0 takes any free one'),
  models: row('MODELS', 'vgg16,digits', modelList(), 'what to serve: a comma list of `name` or `name=path`'),
  vggModel: row('VGG_MODEL', '', servedModel(), 'model behind /vgg; vgg16 when left out'),
  apiModel: row('API_MODEL', '', servedModel(), 'model behind /api/predict; resnet50 when left out'),
  inferModel: row('INFER_MODEL', '', servedModel(), 'model behind /api/infer; inception_v3 when left out'),
  digitsModel: row('DIGITS_MODEL', '', servedModel(), 'model behind /predictlabel; digits when left out'),
  predictModel: row(
    'PREDICT_MODEL',
    '',
    servedModel(),
    'model behind / and /predict; resnet50 when left out',
  ),
  pipeline: row(
    'PIPELINE',
    '',
    text('a path or file: URL'),
    'module with makePipeline to serve instead of the built-in one',
  ),
  engine: row('ENGINE', 'onnx', oneOf('onnx', 'tfjs'), 'what executes the models'),
  device: row(
    'DEVICE',
    'auto',
    oneOf('auto', 'cpu', 'webgpu', 'cuda'),
    'where they are executed; auto measures what is there',
  ),
  weightsDir: row('WEIGHTS_DIR', './weights', text('a path'), 'folder of weights and compiled graphs'),
  weightsUrl: row(
    'WEIGHTS_URL',
    '',
    url(),
    'mirror to download weights from, instead of where they come from',
  ),
  workers: row('WORKERS', '1', wholeNumber(1, 64), 'child processes per model'),
  threads: row(
    'THREADS',
    '0',
    wholeNumber(0, 1024),
    'threads per child; 0 divides the cores among the workers',
  ),
  maxBatch: row('MAX_BATCH', '8', wholeNumber(1, 1024), 'most calls that are predicted together'),
  maxPixels: row(
    'MAX_PIXELS',
    '50000000',
    wholeNumber(1, 2_000_000_000),
    'largest width × height of an image, by its header',
  ),
  maxQueue: row('MAX_QUEUE', '256', wholeNumber(1, 1_000_000), 'most calls that wait, per model'),
  maxQueueBytes: row(
    'MAX_QUEUE_BYTES',
    '256mb',
    bytes(1, 64 * GIB),
    'most bytes that wait, per model, and that arrive',
  ),
  deadlineMs: row('DEADLINE_MS', '60000', wholeNumber(1, DAY_MS), 'time a call may take, waiting included'),
  hangTimeoutMs: row(
    'HANG_TIMEOUT_MS',
    '30000',
    wholeNumber(1, DAY_MS),
    'time one batch may take before its child is killed',
  ),
  drainTimeoutMs: row(
    'DRAIN_TIMEOUT_MS',
    '15000',
    wholeNumber(0, DAY_MS),
    'time to finish accepted requests on SIGTERM',
  ),
  maxConnections: row('MAX_CONNECTIONS', '2000', wholeNumber(1, 1_000_000), 'most connections at a time'),
  maxBodyBytes: row('MAX_BODY_BYTES', '20mb', bytes(1, GIB), 'largest request body'),
  bodyTimeoutMs: row('BODY_TIMEOUT_MS', '30000', wholeNumber(1, DAY_MS), 'time a client has to send a body'),
  inferMaxImages: row('INFER_MAX_IMAGES', '32', wholeNumber(1, 1000), 'most addresses in one /api/infer'),
  inferThreshold: row(
    'INFER_THRESHOLD',
    '0.5',
    fraction(),
    'confidence above which /api/infer names a class, unless asked otherwise',
  ),
  allowHosts: row(
    'ALLOW_HOSTS',
    '',
    hostList(),
    'hosts and networks that addresses of images may lead to although they are not public',
  ),
  denyHosts: row('DENY_HOSTS', '', hostList(), 'hosts and networks that they may not lead to'),
  urlPorts: row('URL_PORTS', '80,443', portList(), 'ports that they may name'),
  fetchTimeoutMs: row('FETCH_TIMEOUT_MS', '10000', wholeNumber(1, DAY_MS), 'time one download may take'),
  maxFetches: row('MAX_FETCHES', '32', wholeNumber(1, 10_000), 'most downloads at a time'),
  maxFetchesPerHost: row('MAX_FETCHES_PER_HOST', '8', wholeNumber(1, 10_000), 'of these, most from one host'),
  cacheEntries: row(
    'CACHE_ENTRIES',
    '1000',
    wholeNumber(0, 1_000_000),
    'answers that are kept for the same image again; 0 computes each one anew',
  ),
  uploadMaxBytes: row(
    'UPLOAD_MAX_BYTES',
    '64mb',
    bytes(1, 16 * GIB),
    'memory for images that pages show again',
  ),
  uploadTtlMs: row('UPLOAD_TTL_MS', '600000', wholeNumber(1, DAY_MS), 'how long they are kept'),
  feedbackDir: row('FEEDBACK_DIR', './feedback', text('a path'), 'folder of the record of wrong predictions'),
  feedbackFileBytes: row(
    'FEEDBACK_FILE_BYTES',
    '10mb',
    bytes(4096, GIB),
    'size at which feedback.csv is set aside and begun anew',
  ),
  feedbackMaxBytes: row(
    'FEEDBACK_MAX_BYTES',
    '1gb',
    bytes(4096, 1024 * GIB),
    'size of the folder at which no more is taken',
  ),
  keepFeedbackImages: row(
    'KEEP_FEEDBACK_IMAGES',
    'off',
    oneOf('on', 'off'),
    'whether a reported image is kept in that folder',
  ),
  apiKeys: row('API_KEYS', '', secretList(), 'comma list of keys, one of which a request must bring'),
  corsOrigins: row('CORS_ORIGINS', '', originList(), 'pages of other sites that may call; * for all'),
  rateLimit: row(
    'RATE_LIMIT',
    '0',
    wholeNumber(0, 1_000_000),
    'POST requests per minute and client; 0 for no limit',
  ),
  trustProxy: row(
    'TRUST_PROXY',
    '0',
    wholeNumber(0, 16),
    'proxies in front, whose X-Forwarded-* headers are believed',
  ),
  logLevel: row(
    'LOG_LEVEL',
    'info',
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'least severe line that is logged',
  ),
} as const

function row<T>(env: string, fallback: string, kind: Kind<T>, help: string): Setting<T> {
  return { env, fallback, kind, help }
}
