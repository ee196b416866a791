"""The vocabulary: synonyms in English, German and Spanish, terms without content, and weak terms.

Both questions and phrasings pass through it, so only their agreement matters. Phrases are in phrases.py.
"""

from __future__ import annotations

# Canonical word -> what people write for it. One word each, any inflection.
SYNONYMS: dict[str, str] = {
    "cpu": "cpu cpus processor processors prozessor prozessoren procesador procesadores compute cpu-last cpulast",
    "memory": "memory mem ram arbeitsspeicher speicher hauptspeicher memoria",
    "disk": "disk disks disc discs drive drives storage volume volumes platte platten disco discos mount mounts "
    "partition partitions space",
    "usage": "brauchen braucht usage use used "
    "uses using utilization utilisation utilized consumption consume consumes consumed "
    "consuming occupied eat eats ate eaten eating take takes hog hogs hogging guzzle guzzles burn burns "
    "devour devours verbraucht verbrauchen verwendet consume consumen gasta gastan ocupa ocupan "
    "auslastung verbrauch nutzung belegt belegung benutzt uso usan usa "
    "utilización utilizacion consumo ocupado ocupación",
    "busy": "busy busiest beschäftigt ausgelastet busier",
    "full": "full voll voller lleno llenos llena fullest",
    "host": "host hosts server servers machine machines box boxes droplet droplets node nodes rechner maschine "
    "maschinen servidor servidores máquina máquinas maquina maquinas anfitrión hosts' computer computers vm vms",
    "container": "container containers contenedor contenedores docker pod pods",
    "load": "load loads systemlast carga",
    "network": "network networks net netzwerk netz red nic interface interfaces ethernet",
    "traffic": "traffic bandwidth verkehr tráfico trafico throughput",
    "receive": "receive receives received receiving empfängt empfangen recibe reciben incoming inbound ingress "
    "download rx eingehend into in-bound "
    "recibido entrante",
    "transmit": "transmit transmits transmitted sent send sends sending sendet senden gesendet envía envían outgoing "
    "outbound egress upload tx ausgehend "
    "enviado saliente out",
    "error": "error errors fehler errores failures faults",
    "fail": "fail fails failed failing failure fehlgeschlagen fehlgeschlagene fallido fallidos fallida fallaron broken",
    "alert": "alert alerts alarm alarms alarme alertas alerta alarmas alarma",
    "firing": "firing active fire fires fired aktiv aktive activas activos activo feuern raised",
    "container_start": "restart restarts restarted restarting neustart neustarts neugestartet reinicio reinicios "
    "reiniciado reiniciados reiniciaron reboots starts",
    "database": "database databases db dbs datenbank datenbanken base bases",
    "postgres": "postgres postgresql pg psql",
    "connection": "connection connections session sessions client clients verbindung verbindungen conexión conexiones "
    "conexion",
    "request": "request requests anfragen anfrage peticiones petición solicitudes calls",
    "latency": "latency latencies latenz latencia",
    "slow": "slow slowest slowness slower faster quicker langsam lento",
    "service": "service services app apps application applications dienst dienste servicio servicios anwendung "
    "aplicación",
    "backup": "backup backups sicherung sicherungen respaldo respaldos copia",
    "size": "size sizes big biggest large largest larger bigger größe groesse groß tamaño grow grew grown growth "
    "growing",
    "lag": "lag lags behind stale outdated delay delayed late verzögerung retraso replikationsverzögerung lagging",
    "standby": "standby standbys replica replicas secondary follower",
    "replication": "replication replikation replicación",
    "table": "table tables tabelle tabellen tabla tablas",
    "row": "row rows zeilen tuple tuples filas",
    "lock": "lock locks sperren locked bloqueos",
    "transaction": "transaction transactions transaktion transaktionen transacción transacciones tx",
    "commit": "commit commits committed",
    "clock": "clock clocks uhr uhren ntp reloj time-drift chrony",
    "offset": "offset skew drift",
    "uptime": "uptime uptimes up-time",
    "count": "count counts",
    "rate": "rate rates tasa tasas",
    "ratio": "ratio ratios share percentage fraction anteil percent quote porcentaje proporción",
    "write": "write writes schreibt escribe escriben written writing schreiben geschrieben escritura",
    "read": "read reads liest lesen lee leen reading lesen gelesen lectura",
    "old": "old age oldest alt alter antigua antiguo longest",
    "open": "open offen offene abierto abiertas",
    "limit": "limit limits grenze límite",
    "throttle": "throttle throttled throttling throttles gedrosselt",
    "sample": "sample samples",
    "ingest": "ingest ingests ingested ingestion",
    "scrape": "scrape scrapes scraped target targets",
    "stream": "stream streams",
    "loki": "loki",
    "component": "component components part parts komponenten",
    "healthy": "healthy health ok okay well gesund",
    "up": "up online alive reachable erreichbar",
    "down": "down offline dead unreachable unavailable unresponsive ausgefallen caído caídos",
    "silent": "silent quiet missing",
    "pressure": "pressure psi stall",
    "inode": "inode inodes",
    "hypertable": "hypertable hypertables",
    "chunk": "chunk chunks",
    "compress": "compression compressed compress",
    "job": "job jobs",
    "slot": "slot slots",
    "retain": "retain retained retains kept keep held hold",
    "drop": "drop drops dropped discards discarded packetloss",
    "close": "close near nearest nearly closest",
    "certificate": "certificate certificates cert certs zertifikat certificado",
    "renew": "renew renewed renewal renewals",
    "state": "state states",
    "success": "success succeed succeeds succeeded successful successfully erfolgreich",
    "timescale": "timescale timescaledb",
    "metric": "metric metrics metriken métricas",
    "httperror": "httperror",
    "working": "work works",
    "order": "order orders bestellungen pedidos",
    "second": "second seconds",
    "duration": "duration durations dauer duración",
    "item": "item items",
    "cart": "cart carts",
    "invoice": "invoice invoices rechnungen facturas",
    "create": "create created creates",
}

_STOP = """
frei libre más mas höchste höchsten höchster niedrigste niedrigsten meiste meisten größte größten trending grep
the a an of on in is are was were be been being am what which who whose whom how much please show shows me give
gives i we you our my your their its it do does did doing has have had there any all every some each this that these
those for to at from and or with within currently current right now value values get gets see display graph plot
chart draw trend look like so just can could would should will also than then as by per vs about tell find want need
know still only really very today's report print overall us them they anyone someone somebody one most least high
low higher lower highest lowest more less fewer top bottom max maximum min minimum average avg mean peak compared
compare comparison versus difference change changed changes between greater above below over under exceed exceeds
exceeding beyond longer last latest past previous ago same time since during until today yesterday week hour hours
minute minutes day days month if not no yes hi hello hey thanks thank ever using got getting went come came make
makes made happening running run runs often long when where why fast der die das den dem des ein eine einen einer
eines ist sind war waren wird wie welche welcher welches wer wo wann viel hoch im von vom auf für fur bei mit und
oder aktuell gerade jetzt bitte zeig zeige mir gib alle aller meine unsere zu zum zur letzten letzte letzter gestern
heute stunde stunden tag tage hat haben es gibt el la los las un una unos unas son está están estan de del en por
para con y o qué que cuál cual cuáles cómo como cuánta cuánto cuanto cuanta muestra muéstrame dame actual ahora
última ultima último ultimo hora horas ayer hoy hay tiene tienen se al mi nuestro nuestra todos todas theirs whole
entire fleet fleetwide everywhere across throughout amount quick check pls plz thx cuales list
first anything something kindly somehow enough heaviest hottest colleague kind moment boss says say said think wonder
wondering together return returned returns queda am many
situation emptiest anywhere somewhere recently lately name among around approximately roughly actually basically
happen happens happened occurred occurs serve serves served serving handle handles handled split
itself sum summe suma produce produces produced schon noch ya
gab gibt's hatte hatten wurde wurden worden läuft laufen sich etwa ungefähr derzeit momentan welchen welchem unser
han ha he hemos fue fueron sido cada sobre entre mucho muchos muchas demasiado esta este estos estas
"""
STOP = frozenset(_STOP.split())

# Never a misspelling of a word of the vocabulary, though a letter or two away.
_ORDINARY = """
user users older party parties port ports card cards care click clicks court real ready receiver receivers
replicate simple side sides site sites small stage translation translations file files fine five firm fix
fixes place driver drivers word words white professor lead leads death deaths catch rare race lane closer
consumer consumers follow later note notes fair intro help looks lack luck law quit shoe shoes ship ships
spot spots taken wall writer writers seed remain derive fall falls deal dean sharp shape rose
competent compiler compilers convention correction corrections collection collections
"""
ORDINARY = frozenset(_ORDINARY.split())

# Words that state how and not what: alone they name no value.
ATTRIBUTES = frozenset(
    {"size", "rate", "ratio", "status", "state", "old", "open", "limit", "error", "up", "down", "count", "slow"}
    | {"duration", "read", "write", "usage", "full", "host", "busy", "fail", "healthy", "close", "firing", "drop"}
)

# Words that agree with many phrasings, and so prove little. Others weigh 1.
WEAK: dict[str, float] = {
    "usage": 0.35,
    "host": 0.3,
    "count": 0.45,
    "rate": 0.45,
    "ratio": 0.35,
    "full": 0.4,
    "service": 0.4,
    "state": 0.6,
    "container": 0.7,
    "postgres": 0.5,
    "database": 0.5,
    "healthy": 0.5,
    "up": 0.7,
    "old": 0.6,
    "open": 0.4,
    "component": 0.6,
    "job": 0.6,
    "traffic": 0.5,
    "timescale": 0.6,
    "error": 0.9,
    "size": 0.7,
    "working": 0.3,
    "metric": 0.5,
    "prometheus": 0.4,
    "close": 0.3,
    "server": 0.3,
    "firing": 0.5,
    "second": 0.3,
}

# What is no question: a pattern on lower-case text, and the reason for the refusal.
REFUSED: tuple[tuple[str, str], ...] = (
    (r"<\s*/?\s*[a-z!][^>]*>|javascript:|on(?:error|load|click)\s*=", "it contains HTML"),
    (
        r"\b(?:drop|delete|truncate|alter|insert|update|select|union)\b.{0,40}\b(?:table|from|into|where|set|select)\b"
        r"|\bor\s+1\s*=\s*1|;\s*--",
        "it contains SQL",
    ),
    (
        r"\b(?:ignore|disregard|forget|override)\b.{0,30}\b(?:instructions?|rules?|prompts?|above|previous)\b"
        r"|\b(?:system prompt|developer mode|jailbreak|you are now)\b",
        "it contains instructions for a language model",
    ),
    (
        r"\b(?:print|show|reveal|give|tell|dump|what(?:'s| is)|list)\b.{0,40}\b(?:passwords?|api[ -]?keys?|secrets?"
        r"|tokens?|credentials?|private keys?)\b",
        "secrets are not among the answers",
    ),
    (r"(?:^|\s)\.[*+](?:\s|$)", "it contains a pattern for every name"),
    (
        r"\bwho (?:last |has |have )*(?:re)?(?:started|booted|stopped|killed|deployed|changed|deleted|updated|installed"
        r"|broke|owns|configured)\b",
        "who did something is not among the data",
    ),
    (
        r"\b(?:delete|drop|remove|wipe|purge|erase|kill|stop|restart|reboot|shut ?down|silence|mute)\b(?!ed|s\b|ping)"
        r"\s+(?:the\s+|all\s+|every\s+|my\s+|this\s+)*(?:series|metrics?|data|logs?|hosts?|containers?|databases?"
        r"|alerts?|everything|\S+-\d+)",
        "questions only read; nothing is changed",
    ),
)
