// check_kubernetes.mjs YAML: compares each object with Kubernetes' types, and with the others. Prints what is wrong.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseAllDocuments } from "yaml";

const require = createRequire(import.meta.url);
const [file] = process.argv.slice(2);
const problems = [];

function typeOf({ apiVersion, kind }) {
  try {
    return require(`kubernetes-models/${apiVersion}/${kind}`)[kind];
  } catch {
    problems.push(`Kubernetes has no ${apiVersion} ${kind}`);
  }
}

// `value`, which tells `unread` of the fields that nobody has asked for by then.
function watched(value, place, unread) {
  if (typeof value !== "object" || value === null) return value;
  const fields = new Map();
  for (const key of Object.keys(value)) {
    unread.add(`${place}/${key}`);
    fields.set(key, watched(value[key], `${place}/${key}`, unread));
  }
  return new Proxy(value, {
    get(target, key) {
      unread.delete(`${place}/${String(key)}`);
      return fields.has(key) ? fields.get(key) : target[key];
    },
  });
}

// What the types do not ask for, they do not know: a misspelt field would pass in silence.
function check(object) {
  const name = `${object.kind} ${object.metadata?.name}`;
  const Type = typeOf(object);
  if (!Type) return;
  const unread = new Set();
  try {
    Type.prototype.validate.call(watched(new Type(object), "", unread));
  } catch (error) {
    problems.push(`${name}: ${error.message}`);
    return;
  }
  for (const place of unread) {
    if (!unread.has(place.slice(0, place.lastIndexOf("/")))) problems.push(`${name}: there is no field ${place}`);
  }
}

// What names another part names one that is there.
function checkTogether(deployment, service) {
  const { metadata, spec } = deployment.spec.template;
  const { matchLabels } = deployment.spec.selector;
  for (const [owner, selector] of [["Deployment", matchLabels], ["Service", service.spec.selector]]) {
    for (const [key, value] of Object.entries(selector)) {
      if (metadata.labels[key] !== value) problems.push(`${owner}: no pod has the label ${key}: ${value}`);
    }
  }
  const volumes = new Set(spec.volumes.map((volume) => volume.name));
  for (const container of spec.containers) {
    const ports = new Set(container.ports.map((port) => port.containerPort));
    const asked = service.spec.ports.map((port) => ["Service", port.targetPort]);
    for (const probe of ["livenessProbe", "readinessProbe"]) asked.push([probe, container[probe]?.httpGet?.port]);
    for (const [owner, port] of asked) if (!ports.has(port)) problems.push(`${owner}: no container has port ${port}`);
    for (const mount of container.volumeMounts) {
      if (!volumes.delete(mount.name)) problems.push(`there is no volume ${mount.name}`);
    }
  }
  for (const name of volumes) problems.push(`nobody mounts the volume ${name}`);
}

const text = readFileSync(file, "utf8");
for (const line of text.split("\n")) if (/\{\{/.test(line)) problems.push(`not filled: ${line.trim()}`);
const documents = parseAllDocuments(text, { version: "1.1" });
for (const document of documents) {
  problems.push(...document.errors.map(String));
  if (!document.errors.length) check(document.toJS());
}
const objects = documents.filter((document) => !document.errors.length).map((document) => document.toJS());
const [deployment, ...moreDeployments] = objects.filter((object) => object.kind === "Deployment");
const [service, ...moreServices] = objects.filter((object) => object.kind === "Service");
if (!deployment || !service || moreDeployments.length || moreServices.length) {
  problems.push("one Deployment and one Service are needed");
}
if (!problems.length) checkTogether(deployment, service);

for (const problem of problems) console.error(problem);
if (problems.length) process.exit(1);
console.log(`${objects.length} objects are as Kubernetes' types say`);
