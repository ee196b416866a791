"""Phrases of several terms, on lower-case text. Order matters: each replaces its text before the next is tried."""

from __future__ import annotations

# Pattern -> replacement, on lower-case text.
PHRASES: tuple[tuple[str, str], ...] = (
    (r"\bwhat'?s\b", "what is"),
    (r"\bgood (?:morning|afternoon|evening|day)\b|\brunning into\b|\bwe had an? (?:outage|incident|problem)s?\b"
     r"|\b(?:ordered|sorted|ranked) by\b", " "),
    (r"\b(?:what|which(?: ones?)?|anything|something) (?:is|are) firing\b|^\s*firing\b", "firing alerts"),
    (r"\b(?:since when|how long (?:has|have|is|are)|when did)\b(.*?)\b(?:start(?:ed)? )?(?:to )?"
     r"(?:fires?|fired|firing)\b",
     r" firingsince alert \1 "),
    (r"\blongest\b.*\b(?:alerts?|firing)\b|\b(?:alerts?|fires?|firing)\b.*\blongest\b", " firingsince alert "),
    (r"\bwhat (?:has |was |were )?(?:fired|firing)\b", "firing alerts"),
    (r"\bsuccess (?:rates?|ratio|percentage|share)\b|\berfolgsquote\b|\btasa de éxito\b", " successratio "),
    (r"\bon fire\b", "firing alerts"),
    (r"\b(?:at|with) (?:this|the current|the present) (?:pace|rate|speed|trend)\b", " "),
    (r"\bhow many (?:hours|days|weeks|months) (?:until|till|before|are left|remain)\b", " fullin "),
    (r"\b(?:how many times|wie oft|cu[aá]ntas veces)\b", " count "),
    (r"\b(?:how much|amount of|(?:the )?(?:most|least)) data\b|\bhow many bytes\b"
     r"|(?<!log )(?<!temp )\bbytes(?= per second\b| a second\b| ?/ ?s\b)", " "),
    (r"\bcpu[- ]load\b", "cpu usage"),
    (r"\biowait\b", "io wait"),
    (r"\b(?:how much )?(?:disk )?space\b(?=.*\btables?\b)", "size"),
    (r"\bqueue (?:length|size)\b", "queue depth"),
    (r"\bbases? de datos\b", "database"),
    (r"\b(?:wie lange|seit wann) läuft\b", " uptime "),
    (r"\b(?:network|netzwerk)[- ]?(?:cards?|interfaces?|adapters?|karten?)\b", "network"),
    (r"\bhow long (?:do|does|did)\b(.*?)\b(requests?)\b(.*?)\b(?:take|took|last)\b", r"\1 latency \3"),
    (r"\bstatus codes?\b", "status"),
    (r"\b(?:which|what) status(?:es)?\b", "responses by status"),
    (r"\b(?:gives?|gave|given) back\b", " "),
    (r"\bhow many (?=\w+(?: \w+)? per second\b)|\bprometheus (?=ingest)"
     r"|\bslow\b(?=.*\b(?:latency|response times?)\b)", " "),
    (r"^\s*(?:is|are) +(?:up|alive|online|reachable|down|dead|running)\s*\??$", "host up"),
    (r"\b(?:not|isn't|aren't|no longer) (?:running|up|alive|online|responding|reachable|reporting|sending(?: data)?)\b",
     " down "),
    (r"\b(?:is|are) (prometheus|loki|grafana|caddy|alertmanager) (?:running|alive|ok|okay|healthy|reachable|working)\b",
     r"\1 up"),
    (r"\bfree swap\b|\bswap (?:space )?(?:free|left|available)\b", "swap usage"),
    (r"\bc[ao]m(?:e|es|ing) in\b", " receive "),
    (r"\bgo(?:es|ing)? out\b|\bwent out\b", " transmit "),
    (r"\bbusiest (?:hosts?|servers?|machines?|nodes?|box(?:es)?)\b", "host cpu usage"),
    (r"\bclocks?\b.*\b(?:off|in sync|synchroni[sz]ed|accurate)\b", "clock offset"),
    (r"\bup for\b", " uptime "),
    (r"\b(?:hours|days|weeks|months) of (?:disk|space|storage)(?: space)?\b.*\bleft\b", " fullin disk "),
    (r"\bcrash[- ]?(?:loop\w*|ing|ed)\b|\bflapping\b", "container restarts"),
    (r"\bdie last\b|\bsystemlast\b", "load"),
    (r"\bhow busy (?:is|are|was|were)\s*\??$|^\s*is +busier than\s*\??$", "cpu usage"),
    (r"\bwhen (?:did|was|were|has|have)\b(.*?)\b(?:re)?(?:start|boot)(?:ed)?\b|\blast (?:re)?start(?:ed)?\b",
     r" \1 uptime "),
    (r"\breboot(?:s|ed|ing)?\b", " uptime "),
    (r"^\s*(?:what (?:is|are) )?(?:the )?(?:memory|ram|mem|cpu) limits?(?: (?:of|for|on))?(?: (?:the )?containers?)?"
     r"\s*\??$", " memorycap "),
    (r"\bmax(?:imum)?[- _]connections\b", " connection limit "),
    (r"\blong(?:est)?[- ]running (?:quer(?:y|ies)|statements?)\b", " oldest transaction open "),
    (r"\b(?:disk|space|storage|room)\b.*\bmetrics\b.*\b(?:take|use|need|occupy)\w*\b", " size of the metrics "),
    (r"\bhow (?:many|much) (?:gb|gib|tb|gigabytes?|terabytes?|space)\b(?!.*\b(?:memory|ram)\b).*?"
     r"\b(?:left|free|available|remain\w*)\b|\b(?:left|free|available) (?:on|in) (?:\w+ ){0,3}disk\b"
     r"|\bespacio (?:libre|disponible)\b", " diskfree "),
    (r"\b(file ?systems?|dateisysteme?n?|sistemas? de archivos)\b", "disk"),
    (r"\b(hard|solid state) ?(disks?|discs?|drives?)\b|\b(festplatten?|datenträger|laufwerke?)\b", "disk"),
    (r"\bdiscos? duros?\b", "disk"),
    (r"\b(disk|disc|storage|drive) ?space\b|\bspeicherplatz\b|\bplattenplatz\b|\bespacio en disco\b", "disk"),
    (r"\bdisks? (?:io|i/o|throughput|bandwidth)\b", " diskthroughput "),
    (r"\b(when (?:will|do|does|is)\b.*?\b(?:full|fill(?:s|ed)?(?: up)?)|time (?:to|until) full|(?:how long )?until"
     r"\b.*?\bfull|\bwill\b.*\bfull(?! \w)|\b(?:be|get) (?:\w+ )?full(?! \w)"
     r"|\bfull\b.*\b(?:prediction|forecast)"
     r"|(?:prediction|forecast)\b.*\bfull|how long\b.*\b(?:before|until)\b.*\b(?:no|without) (?:disk |free )?space"
     r"(?: left)?"
     r"|full (?:soon|within|in(?= \d| a| the next))|fill(?:s|ing)? up"
     r"|(?:runs?|running) out of (?:disk|space)(?: space)?|runs? full|wann\b.*?\bvoll|cuándo se llena\w*)",
     " fullin disk "),
    (r"\bhow long (?:until|before|till)\b", " fullin "),
    (r"\bhow (?:long|much time) (?:has|have|is|are)\b(.*?)\b(?:running|up|online)\b", r" uptime \1 "),
    (r"\b(since when\b.*?\b(?:running|up)"
     r"|laufzeit|betriebszeit|tiempo de actividad)\b", " uptime "),
    (r"\b(how many|number of|count of|amount of|anzahl|wie viele|wieviele|cu[aá]nt[oa]s|n[uú]mero de)\b", " count "),
    (r"\bresponse times?\b|\brequest durations?\b|\bantwortzeit(en)?\b|\btiempo de respuesta\b", "latency"),
    (r"\bp ?(50|90|95|99)\b|\b(50|90|95|99)(?:th|\.)? ?(?:percentile|%-?ile|perzentil|percentil)\b", r" p\1\2 "),
    (r"\b(\d\d)(?:th)? percentile\b", r" p\1 "),
    (r"\bmedian\b|\bmediana?\b", " p50 "),
    (r"\bper (?:second|sec)\b|/ ?s\b|\ba second\b|\bpro sekunde\b|\bpor segundo\b", " rate "),
    (r"\bout[- ]of[- ]memory\b|\boom[- ]?kill(?:s|ed)?\b|\boom\b", " oom "),
    (r"\bread[- ]only\b", " readonly "),
    (r"\b(?:sign(?:ed|ing)?[- ]?(?:in|on)s?|log(?:ged|ging)?[- ]?(?:in|on)s?|log(?:ged)? into)\b(?! \w+ lines?)",
     " signin "),
    (r"\b5xx\b|\bserver errors?\b|\bhttp[- ]?5\d\d\b", " httperror "),
    (r"\bremote[- ]writes?\b", " remotewrite "),
    (r"\bwork_mem\b", " tempfile "),
    (r"\btemp(?:orary)? (?:files?|bytes)\b", " tempfile "),
    (r"\bi/o\b", " io "),
    (r"\b(?:running|active|live) (?=containers?\b)", "count "),
    (r"\b(network|net|traffic|bandwidth)(?: traffic)? in\b", r"\1 receive "),
    (r"\bwhat is up (?:with|on|at)\b", " "),
    (r"\bwrite[- ]ahead[- ]log\b", " wal "),
    (r"\btransaction ids?\b|\bxids?\b|\bwraparound\b", " wraparound "),
    (r"\bcontinuous aggregates?\b|\bmaterialized views?\b", " continuousaggregate "),
    (r"\bin use\b|\bin benutzung\b|\ben uso\b", " usage "),
    (r"\bweb (?:apps?|services?|traffic)\b|\bhttp (?:apps?|services?)\b", " service "),
    (r"\b(?:free|available|remaining|left|frei(?:e[rsnm]?)?|libres?|disponibles?) (?:memory|ram|mem|memoria"
     r"|(?:arbeits)?speicher)\b", " memoryfree "),
    (r"\b(?:memory|ram|mem|(?:arbeits)?speicher|memoria)\b(?: \w+){0,2}"
     r" (?:free|available|left|frei|libre|disponible)\b",
     " memoryfree "),
    (r"\b(?:free|available|remaining|frei(?:e[rsnm]?)?) (?:disk|space|storage)\b", " diskfree "),
    (r"\b(?:disk|space|storage)\b(?: \w+){0,2} (?:free|available|left|frei|libre)\b", " diskfree "),
    (r"\b(?:total|installed) (?:memory|ram)\b(?! us)|\bhow much (?:memory|ram) (?:does|do|has)\b.*\bhave\b"
     r"(?: in total)?",
     " memorytotal "),
    (r"\bload avg\b|\bload averages?\b", " load "),
)  # fmt: skip
