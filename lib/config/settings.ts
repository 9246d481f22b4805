import {
  amqpList,
  bytes,
  fraction,
  hostList,
  hostName,
  hostnameList,
  type Kind,
  modelList,
  oneOf,
  orAuto,
  originList,
  portList,
  secret,
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
  fleet: 'Several hosts',
  command: 'Commands that ask a server',
} as const

/** One setting. The flag is the variable in kebab-case: MAX_QUEUE is --max-queue. */
export interface Setting<T> {
  readonly group: keyof typeof GROUPS
  readonly env: string
  /** the default as text, parsed by the same `kind` as the user's value */
  readonly fallback: string
  readonly kind: Kind<T>
  /** must be understood without the other rows */
  readonly help: string
}

const DAY_MS = 86_400_000
const GIB = 2 ** 30

const serve = inGroup('serve')
const models = inGroup('models')
const limits = inGroup('limits')
const access = inGroup('access')
const storage = inGroup('storage')
const fleet = inGroup('fleet')
const command = inGroup('command')

/** All settings. A flag beats the environment, the environment beats the default; an empty variable counts as unset. */
export const SETTINGS = {
  host: serve('HOST', '127.0.0.1', text('an address'), 'address to listen on; 0.0.0.0 for every interface'),
  port: serve('PORT', '2017', wholeNumber(0, 65535), 'port to listen on; 0 takes any free port'),
  maxConnections: serve(
    'MAX_CONNECTIONS',
    '2000',
    wholeNumber(1, 1_000_000),
    'maximum number of open connections; at 95 %, new connections replace idle ones',
  ),
  maxConnectionsPerIp: serve(
    'MAX_CONNECTIONS_PER_IP',
    '0',
    wholeNumber(0, 1_000_000),
    'maximum number of open connections per IPv4 address or IPv6 /64 network, unless TRUST_PROXY is set; 0 for half of MAX_CONNECTIONS',
  ),
  drainTimeoutMs: serve(
    'DRAIN_TIMEOUT_MS',
    '15000',
    wholeNumber(0, DAY_MS),
    'milliseconds to finish accepted requests after SIGTERM or Ctrl-C',
  ),
  logLevel: serve(
    'LOG_LEVEL',
    'info',
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'lowest severity that is logged',
  ),
  models: models(
    'MODELS',
    'vgg16,digits,mobilenet_v2',
    modelList(),
    'models to serve: a comma-separated list of `name` or `name=path`',
  ),
  vggModel: models(
    'VGG_MODEL',
    '',
    servedModel(),
    'model behind /vgg; when unset, vgg16 if served, else the first model for photographs',
  ),
  apiModel: models(
    'API_MODEL',
    '',
    servedModel(),
    'model behind /api/predict; when unset, resnet50 if served, else the first model for photographs',
  ),
  inferModel: models(
    'INFER_MODEL',
    '',
    servedModel(),
    'model behind /api/infer; when unset, inception_v3 if served, else the first model for photographs',
  ),
  digitsModel: models(
    'DIGITS_MODEL',
    '',
    servedModel(),
    'model behind /predictlabel; when unset, digits if served, else the first model for digits',
  ),
  predictModel: models(
    'PREDICT_MODEL',
    '',
    servedModel(),
    'model behind / and /predict; when unset, resnet50 if served, else the first model for photographs',
  ),
  inferThreshold: models(
    'INFER_THRESHOLD',
    '0.5',
    fraction(),
    'confidence that a class must exceed to be in the answer of /api/infer; ?threshold= in a request takes precedence',
  ),
  pipeline: models(
    'PIPELINE',
    '',
    text('a path or file: URL'),
    'module of your own with a makePipeline function, in place of the built-in pipeline',
  ),
  engine: models('ENGINE', 'onnx', oneOf('onnx', 'tfjs'), 'library that executes the models'),
  device: models(
    'DEVICE',
    'auto',
    oneOf('auto', 'cpu', 'webgpu', 'cuda'),
    'device that executes the models; auto measures the available devices and chooses the fastest',
  ),
  workers: models('WORKERS', '1', wholeNumber(1, 64), 'child processes per model'),
  spareChildren: models(
    'SPARE_CHILDREN',
    'auto',
    orAuto(wholeNumber(0, 16)),
    'further child processes per model, ready to take the place of one that dies; auto keeps one on a CPU while a quarter of the memory stays free',
  ),
  threads: models(
    'THREADS',
    '0',
    wholeNumber(0, 1024),
    'threads per child process; 0 divides the CPU cores among the WORKERS',
  ),
  maxBatch: models(
    'MAX_BATCH',
    '8',
    wholeNumber(1, 1024),
    'maximum number of images that are predicted together',
  ),
  maxBatchMs: models(
    'MAX_BATCH_MS',
    '2000',
    wholeNumber(1, DAY_MS),
    'milliseconds that predicting several images together may take, by the measurements of this machine; larger batches are divided',
  ),
  winograd: models(
    'WINOGRAD',
    'auto',
    oneOf('auto', 'off'),
    "whether convolutions are computed by Winograd's way, with fewer multiplications; auto: where measurements on this machine find it faster",
  ),
  precision: models(
    'PRECISION',
    'fp32',
    oneOf('fp32', 'int8', 'auto'),
    'numbers that models are computed with; int8 is faster and needs a model that tandem quantize has made; auto: int8 for the models that have been quantized, and others are quantized with pictures of requests while the service is idle',
  ),
  precisionAgreement: models(
    'PRECISION_AGREEMENT',
    '0.97',
    fraction(),
    'part of the pictures whose best class must be the same with int8 as with fp32, from 0 to 1; a model below is not made by tandem quantize or PRECISION=auto',
  ),
  tuningMs: models(
    'TUNING_MS',
    '10000',
    wholeNumber(0, DAY_MS),
    'milliseconds of measurements per model, made once while the service is idle, to find the fastest form of its convolutions and the best sizes of batches; 0 for none, and for no calibration by PRECISION=auto',
  ),
  maxPixels: limits(
    'MAX_PIXELS',
    '50000000',
    wholeNumber(1, 2_000_000_000),
    'maximum width × height of an image, as declared in the header of the image',
  ),
  maxBodyBytes: limits(
    'MAX_BODY_BYTES',
    '20mb',
    bytes(1, GIB),
    'maximum size of a request body, and of a downloaded image',
  ),
  bodyTimeoutMs: limits(
    'BODY_TIMEOUT_MS',
    '30000',
    wholeNumber(1, DAY_MS),
    'milliseconds that a client has to send a request body',
  ),
  maxQueue: limits(
    'MAX_QUEUE',
    '256',
    wholeNumber(1, 1_000_000),
    'maximum number of waiting predictions per model',
  ),
  maxQueueBytes: limits(
    'MAX_QUEUE_BYTES',
    '256mb',
    bytes(1, 64 * GIB),
    'maximum size of all waiting images per model; also the maximum size of all request bodies that wait for an answer',
  ),
  maxOwedBytes: limits(
    'MAX_OWED_BYTES',
    '256mb',
    bytes(65_536, 64 * GIB),
    'maximum size of all finished answers that clients have not read; above it, the connections that have waited longest are closed',
  ),
  deadlineMs: limits(
    'DEADLINE_MS',
    '60000',
    wholeNumber(1, DAY_MS),
    'milliseconds that a prediction may take, including the wait in the queue',
  ),
  hangTimeoutMs: limits(
    'HANG_TIMEOUT_MS',
    '30000',
    wholeNumber(1, DAY_MS),
    'milliseconds that one batch may take before its child process is killed',
  ),
  prepareTimeoutMs: limits(
    'PREPARE_TIMEOUT_MS',
    '20000',
    wholeNumber(1000, DAY_MS),
    'time that preparing one image may take before its child process is killed',
  ),
  childMemory: limits(
    'CHILD_MEMORY',
    '0',
    bytes(0, 1024 * GIB),
    'memory that a child process may take beyond what it takes when ready; 0 calculates it from MAX_BATCH and MAX_PIXELS',
  ),
  inferMaxImages: limits(
    'INFER_MAX_IMAGES',
    '32',
    wholeNumber(1, 1000),
    'maximum number of image URLs in one request to /api/infer',
  ),
  fetchTimeoutMs: limits(
    'FETCH_TIMEOUT_MS',
    '10000',
    wholeNumber(1, DAY_MS),
    'milliseconds that the download of an image URL may take',
  ),
  maxFetches: limits(
    'MAX_FETCHES',
    '32',
    wholeNumber(1, 10_000),
    'maximum number of simultaneous downloads of image URLs',
  ),
  maxFetchesPerHost: limits(
    'MAX_FETCHES_PER_HOST',
    '8',
    wholeNumber(1, 10_000),
    'maximum number of simultaneous downloads of image URLs from one host',
  ),
  apiKeys: access('API_KEYS', '', secretList(), 'accepted API keys; when unset, no key is needed'),
  apiKeysFile: access(
    'API_KEYS_FILE',
    '',
    text('a path'),
    'file with more API keys, separated by spaces, commas or line breaks; may be a pipe, such as /dev/stdin',
  ),
  allowedHostnames: access(
    'ALLOWED_HOSTNAMES',
    '',
    hostnameList(),
    'host names of the service, besides IP addresses, names without a dot, .localhost, .local, .internal and HOST; * for all names',
  ),
  corsOrigins: access(
    'CORS_ORIGINS',
    '',
    originList(),
    'web sites whose pages may call the API from a browser; * for all web sites',
  ),
  rateLimit: access(
    'RATE_LIMIT',
    '0',
    wholeNumber(0, 1_000_000),
    'maximum number of POST requests per minute and client; 0 for no limit',
  ),
  trustProxy: access(
    'TRUST_PROXY',
    '0',
    wholeNumber(0, 16),
    'number of proxies in front of the service whose X-Forwarded-* headers are trusted',
  ),
  allowHosts: access(
    'ALLOW_HOSTS',
    '',
    hostList(),
    'non-public hosts and networks that image URLs may point to',
  ),
  denyHosts: access('DENY_HOSTS', '', hostList(), 'hosts and networks that image URLs must not point to'),
  urlPorts: access('URL_PORTS', '80,443', portList(), 'ports that image URLs may use'),
  weightsDir: storage('WEIGHTS_DIR', './weights', text('a path'), 'folder of weights and compiled models'),
  weightsUrl: storage(
    'WEIGHTS_URL',
    '',
    url(),
    'mirror to download weights from; when unset, weights come from their publishers',
  ),
  cacheEntries: storage(
    'CACHE_ENTRIES',
    '1000',
    wholeNumber(0, 1_000_000),
    'number of answers in the cache for repeated images; 0 turns the cache off',
  ),
  uploadMaxBytes: storage(
    'UPLOAD_MAX_BYTES',
    '64mb',
    bytes(1, 16 * GIB),
    'memory for images that result pages show',
  ),
  uploadTtlMs: storage(
    'UPLOAD_TTL_MS',
    '600000',
    wholeNumber(1, DAY_MS),
    'milliseconds that images for result pages are kept in memory',
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
    'size of the feedback folder at which new reports are refused',
  ),
  keepFeedbackImages: storage(
    'KEEP_FEEDBACK_IMAGES',
    'off',
    oneOf('on', 'off'),
    'whether the images of reports are stored in the feedback folder',
  ),
  role: fleet(
    'ROLE',
    'all',
    oneOf('all', 'web', 'model'),
    'all: one machine does everything; web: answers HTTP and sends predictions through RabbitMQ; model: computes predictions that come through RabbitMQ',
  ),
  amqpUrl: fleet(
    'AMQP_URL',
    '',
    amqpList(),
    'address of RabbitMQ with user, password and virtual host, for the roles web and model; several addresses are tried in turn',
  ),
  queueType: fleet(
    'QUEUE_TYPE',
    'classic',
    oneOf('classic', 'quorum'),
    'kind of the queues in RabbitMQ: quorum for a cluster of three nodes; the same on all hosts',
  ),
  hostPriority: fleet(
    'HOST_PRIORITY',
    '0',
    wholeNumber(0, 10),
    'model hosts with a higher priority get predictions first, until they have as many as they can hold',
  ),
  signingKeys: fleet(
    'SIGNING_KEYS',
    '',
    secretList(),
    'keys that sign the id of each answer, so that every web host accepts a report of the answer; the first key signs, all are accepted; the same on all web hosts',
  ),
  hostName: fleet(
    'HOST_NAME',
    '',
    hostName(),
    'name of this host on /status, in metrics and in the names of queues; when unset, the name of the machine and the process id',
  ),
  serverUrl: command(
    'TANDEM_URL',
    '',
    url(),
    'server that `tandem predict` and `tandem models` ask; when unset, predict loads the model itself',
  ),
  serverKey: command('TANDEM_KEY', '', secret(), 'API key for that server'),
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
