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

/** The headings under which settings are listed, in this order. */
export const GROUPS = {
  serve: 'Serve',
  models: 'Models',
  limits: 'Limits',
  access: 'Access',
  storage: 'Storage',
} as const

/** One setting. The flag is the variable in kebab-case: MAX_QUEUE is --max-queue. */
export interface Setting<T> {
  readonly group: keyof typeof GROUPS
  readonly env: string
  /** the default, written as a user would write it, and read by the same `kind` */
  readonly fallback: string
  readonly kind: Kind<T>
  /** stands alone: a reader finds one row and reads no other */
  readonly help: string
}

const DAY_MS = 86_400_000
const GIB = 2 ** 30

const serve = inGroup('serve')
const models = inGroup('models')
const limits = inGroup('limits')
const access = inGroup('access')
const storage = inGroup('storage')

/** Every setting there is. A flag beats the environment, the environment beats the default; empty counts as unset. */
export const SETTINGS = {
  host: serve('HOST', '127.0.0.1', text('an address'), 'address to listen on; 0.0.0.0 for every interface'),
  port: serve('PORT', '2017', wholeNumber(0, 65535), 'port to listen on; 0 takes any free port'),
  maxConnections: serve('MAX_CONNECTIONS', '2000', wholeNumber(1, 1_000_000), 'most open connections'),
  drainTimeoutMs: serve(
    'DRAIN_TIMEOUT_MS',
    '15000',
    wholeNumber(0, DAY_MS),
    'time to finish accepted requests after SIGTERM or Ctrl-C',
  ),
  logLevel: serve(
    'LOG_LEVEL',
    'info',
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'least severe log line that is written',
  ),
  models: models(
    'MODELS',
    'vgg16,digits',
    modelList(),
    'models to serve: a comma list of `name` or `name=path`',
  ),
  vggModel: models('VGG_MODEL', '', servedModel(), 'model behind /vgg; vgg16 when unset'),
  apiModel: models('API_MODEL', '', servedModel(), 'model behind /api/predict; resnet50 when unset'),
  inferModel: models('INFER_MODEL', '', servedModel(), 'model behind /api/infer; inception_v3 when unset'),
  digitsModel: models('DIGITS_MODEL', '', servedModel(), 'model behind /predictlabel; digits when unset'),
  predictModel: models(
    'PREDICT_MODEL',
    '',
    servedModel(),
    'model behind / and /predict; resnet50 when unset',
  ),
  inferThreshold: models(
    'INFER_THRESHOLD',
    '0.5',
    fraction(),
    'confidence above which /api/infer names a class; ?threshold= overrides this default',
  ),
  pipeline: models(
    'PIPELINE',
    '',
    text('a path or file: URL'),
    'module with a makePipeline function to serve instead of the built-in pipeline',
  ),
  engine: models('ENGINE', 'onnx', oneOf('onnx', 'tfjs'), 'library that executes the models'),
  device: models(
    'DEVICE',
    'auto',
    oneOf('auto', 'cpu', 'webgpu', 'cuda'),
    'device that executes the models; auto measures those that are there and takes the fastest',
  ),
  workers: models('WORKERS', '1', wholeNumber(1, 64), 'child processes per model'),
  threads: models(
    'THREADS',
    '0',
    wholeNumber(0, 1024),
    'threads per child process; 0 divides the cores among the workers',
  ),
  maxBatch: models('MAX_BATCH', '8', wholeNumber(1, 1024), 'most images that are predicted together'),
  maxPixels: limits(
    'MAX_PIXELS',
    '50000000',
    wholeNumber(1, 2_000_000_000),
    'largest width × height of an image, as its header declares',
  ),
  maxBodyBytes: limits(
    'MAX_BODY_BYTES',
    '20mb',
    bytes(1, GIB),
    'largest request body, and largest image that is downloaded',
  ),
  bodyTimeoutMs: limits(
    'BODY_TIMEOUT_MS',
    '30000',
    wholeNumber(1, DAY_MS),
    'time that a client has to send a body',
  ),
  maxQueue: limits('MAX_QUEUE', '256', wholeNumber(1, 1_000_000), 'most predictions that wait, per model'),
  maxQueueBytes: limits(
    'MAX_QUEUE_BYTES',
    '256mb',
    bytes(1, 64 * GIB),
    'most bytes of images that wait, per model; also most bytes of request bodies that are arriving',
  ),
  deadlineMs: limits(
    'DEADLINE_MS',
    '60000',
    wholeNumber(1, DAY_MS),
    'time that a prediction may take, waiting included',
  ),
  hangTimeoutMs: limits(
    'HANG_TIMEOUT_MS',
    '30000',
    wholeNumber(1, DAY_MS),
    'time that one batch may take before its child process is killed',
  ),
  inferMaxImages: limits(
    'INFER_MAX_IMAGES',
    '32',
    wholeNumber(1, 1000),
    'most image URLs in one request to /api/infer',
  ),
  fetchTimeoutMs: limits(
    'FETCH_TIMEOUT_MS',
    '10000',
    wholeNumber(1, DAY_MS),
    'time that the download of an image URL may take',
  ),
  maxFetches: limits('MAX_FETCHES', '32', wholeNumber(1, 10_000), 'most downloads of image URLs at a time'),
  maxFetchesPerHost: limits(
    'MAX_FETCHES_PER_HOST',
    '8',
    wholeNumber(1, 10_000),
    'most downloads of image URLs at a time from one host',
  ),
  apiKeys: access(
    'API_KEYS',
    '',
    secretList(),
    'keys, one of which a request must bring; every request is allowed when unset',
  ),
  corsOrigins: access(
    'CORS_ORIGINS',
    '',
    originList(),
    'sites whose pages may call from a browser; * for all',
  ),
  rateLimit: access(
    'RATE_LIMIT',
    '0',
    wholeNumber(0, 1_000_000),
    'POST requests per minute and client; 0 for no limit',
  ),
  trustProxy: access(
    'TRUST_PROXY',
    '0',
    wholeNumber(0, 16),
    'number of proxies in front whose X-Forwarded-* headers are believed',
  ),
  allowHosts: access(
    'ALLOW_HOSTS',
    '',
    hostList(),
    'hosts and networks that image URLs may lead to although they are not public',
  ),
  denyHosts: access('DENY_HOSTS', '', hostList(), 'hosts and networks that image URLs may not lead to'),
  urlPorts: access('URL_PORTS', '80,443', portList(), 'ports that image URLs may use'),
  weightsDir: storage('WEIGHTS_DIR', './weights', text('a path'), 'folder of weights and compiled models'),
  weightsUrl: storage(
    'WEIGHTS_URL',
    '',
    url(),
    'mirror to download weights from; their publishers when unset',
  ),
  cacheEntries: storage(
    'CACHE_ENTRIES',
    '1000',
    wholeNumber(0, 1_000_000),
    'answers kept in memory for the same image again; 0 keeps none',
  ),
  uploadMaxBytes: storage(
    'UPLOAD_MAX_BYTES',
    '64mb',
    bytes(1, 16 * GIB),
    'memory for images that pages show again',
  ),
  uploadTtlMs: storage(
    'UPLOAD_TTL_MS',
    '600000',
    wholeNumber(1, DAY_MS),
    'time that images are kept for pages to show again',
  ),
  feedbackDir: storage(
    'FEEDBACK_DIR',
    './feedback',
    text('a path'),
    'folder for reports of wrong predictions',
  ),
  feedbackFileBytes: storage(
    'FEEDBACK_FILE_BYTES',
    '10mb',
    bytes(4096, GIB),
    'size at which feedback.csv is renamed and a new file begins',
  ),
  feedbackMaxBytes: storage(
    'FEEDBACK_MAX_BYTES',
    '1gb',
    bytes(4096, 1024 * GIB),
    'size of the feedback folder at which reports are refused',
  ),
  keepFeedbackImages: storage(
    'KEEP_FEEDBACK_IMAGES',
    'off',
    oneOf('on', 'off'),
    'whether the image of a report is kept in the feedback folder',
  ),
} as const

function inGroup(group: Setting<unknown>['group']) {
  return <T>(env: string, fallback: string, kind: Kind<T>, help: string): Setting<T> => ({
    group,
    env,
    fallback,
    kind,
    help,
  })
}
