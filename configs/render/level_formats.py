"""How programs write the level of a line: a table of formats, each with its source and an example line.

A format without a pattern is covered by GENERIC: behind times, numbers and bracketed fields stands the level's word, in
upper case, or in any case between brackets, before a colon or a bar. Other patterns mark the level by LEVEL. All
begin at the line's beginning, so that a word inside a message is no level. `level` is what the example has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Level -> its spellings, in lower case: words, abbreviations, letters, numbers. 0 to 7 are those of syslog, 10 to 60 of
# pino and bunyan, 100 to 600 of Monolog, nc0 to nc4 are the numbers of Nextcloud.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "info": (
        "info", "inf", "i", "information", "informational", "note", "notice", "notic", "noti", "n", "log", "success",
        "system", "config", "30", "200", "250", "5", "6", "*", "sy", "any", "http", "ntc", "nc1", "ℹ",
        "progress", "audit", "message",
    ),
    "error": (
        "error", "erro", "eror", "err", "e", "fail", "failure", "severe", "50", "400", "3", "traceback", "exception",
        "unhandled", "parse", "nc3", "⨯", "✖", "crash", "supervisor", "failed",
    ),
    "warn": (
        "warn", "warning", "wrn", "w", "warnin", "40", "300", "4", "#", "deprecated", "deprecationwarning", "⚠",
        "nc2",
    ),
    "debug": ("debug", "debu", "debg", "dbug", "dbg", "d", "fine", "20", "100", "7", "-", ".", "nc0"),
    "trace": ("trace", "trac", "trce", "trc", "t", "finer", "finest", "verbose", "verb", "vrb", "v", "silly", "10"),
    "fatal": (
        "fatal", "fata", "fatl", "ftl", "f", "critical", "crit", "crt", "c", "panic", "pani", "pnc", "dpanic",
        "emergency", "emerg", "alert", "alrt", "a", "60", "500", "550", "600", "0", "1", "2", "panicked", "nc4",
        "terminate",
    ),
}  # fmt: skip
LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
# The words of levels in formats without a pattern.
WORD = (
    "trace|trce|trc|verbose|vrb|debug|debu|debg|dbug|dbg|information|info|inf|notice|note|ntc|warning|warn|wrn"
    "|error|erro|eror|err|fail|severe|critical|crit|fatal|fata|ftl|alert|emerg(?:ency)?|panic|pnc|log|success|system|config"
    "|fine(?:r|st)?"
)
# A time: 2026-01-02T10:00:00Z, 10:00:00, 26/01/02, Fri Jan 2 10:00, 1767348000.123; not a plain number.
_MONTH = "[JFMASOND][a-z]+"
TIME = (
    rf"(?:[MTWFS][a-z]+,?\s+)?(?:\d+[-:/]\w[\w:.,/+-]*|\d+\.\d\d\.\d\d[\d.]*|1\d{{9}}[\d.]*|20\d{{6}}[\dTZ]*"
    rf"|{_MONTH}\s+\d+,?\s\d|\d+\s+{_MONTH}\s\d)"
)
_SEPARATORS = r"[\s\[\]():,;|>▶-]*"
# What may stand between the time and the level: no words of a sentence.
_FIELD = (
    rf"(?:[#+-]?\d[\w:.,/+#*%-]*|(?i:[ap]\.?m\b\.?)|[A-Z]{{0,2}}[A-MO-Z][TC]\b|{_MONTH} \d|std(?:err|out) [FP]"
    r"|main|at|PM?\d"
    r"|\[[^\]\"]*\]|\([^)\"]*\)|\{[^}\"]*\}|<[\d.]+>|[\w.$/:#-]+\s+[-|]\s|[\w.]+=[^\s\"=]*|\w[\w$]*(?:\.[\w$]+)+"
    r"|(?:[\w.-]+\s+)?(?:[\w./()-]+\s*\[[\d:]+\]:?|[a-z][\w./:()<>@+=,-]*:\s)|[\w.:-]+\t"
    r"|[\w\[\]-]+[|@][\w\[\]-]*|(?:\w+ )?pid\s|\S+\.\w+:\d+\S*)"
)
FIELDS = rf"{TIME}(?:{_SEPARATORS}{_FIELD})*?"
_SIGNS = "\u2139\u2190-\u2bff\ufe0f\U0001f300-\U0001faff"  # arrows, frames, warning signs, emoji
# Before any time: signs, brackets, or a container's or program's name before a bar, a colon or the time.
_START = (
    r"\s*(?:[\[(][^\])\"]*[\])](?:\s\d+\s+-)?|[\w.|-]+\s+\|\s|[\w./-]+(?:\[\d+\]|(?::\d+)+)?:\s)??"
    rf"[\s\[\]():,;|<>*!={_SIGNS}-]*"
)
# 499 instructions: from 501 on Go takes five times as long for it.
GENERIC = (
    rf"^{_START}(?:(?:[\w.-]+\s+)?{FIELDS}{_SEPARATORS})?[<\t]?"
    rf"(?P<word>(?i:{WORD})(?:\s?\d|\[\w?\d+\]| error)?(?:\s*[\])>|:\t]\s?|\s*-\s|[^\w=.(-]|$)|[TDIWEFCN](?:\] | \| ))"
)
# Of what GENERIC found: the word, if it is set apart or in upper case. `config error:` is an error, `fatal error:` is
# fatal.
APART = (
    r"^(?:(?P<upper>[A-Z]+)(?:[^A-Za-z]|$)"
    r"|(?i:(?:config|system|log|success|note|notice|info|debug|trace|warning)\s)?"
    r"(?P<apart>[A-Za-z]+)(?:\s?\d|\[\w?\d+\]| error)?(?:[\])>|\t]|\s+[\])>|]|\s*:(?:\s|$)|\s*-\s))"
)
# Where the line goes on as logfmt or JSON behind the time.
LATER_LOGFMT = (
    rf"^[\s\[(]*{FIELDS}[\s\]):,|-]*\s(?:[\w.-]+=(?:\"(?:[^\"\\]|\\.)*\"|[^\s\"]*)\s+)*?level=\"?(?P<later>(?i:{WORD}))"
)
LATER_JSON = (
    rf"^[\s\[(]*{FIELDS}[\s\]):,|-]*\s\{{(?:\s*\"[^\"\\]*\"\s*:\s*(?:\"(?:[^\"\\]|\\.)*\"|[\w.+-]+)\s*,)*?"
    rf"\s*\"(?:level|severity)\"\s*:\s*\"(?P<later_json>(?i:{WORD}))\""
)
_PY = "https://docs.python.org/3/library/logging.html"
_SYSLOG = "https://www.rfc-editor.org/rfc/rfc5424"


@dataclass(frozen=True)
class Format:
    """How one program or library writes it. `pattern`: RE2 with `LEVEL(...)`; None: GENERIC covers it."""

    name: str
    source: str
    level: str
    example: str
    pattern: str | None = None


FORMATS = (
    # Own patterns. The first that matches decides.
    Format("syslog priority", _SYSLOG, "error", "<11>Jan  2 10:00:00 web app[1]: boom", r"<LEVELPRI(\d{1,3})>"),
    Format(
        "PHP",
        "https://www.php.net/manual/en/errorfunc.configuration.php",
        "fatal",
        "[02-Jan-2026 10:00:00 UTC] PHP Fatal error:  Uncaught Exception: boom",
        r"(?:\[[^\]]*\] ?)?(?:NOTICE: PHP message: )?PHP (?:(?:Core|Compile|Recoverable|Catchable) )?"
        r"LEVEL([A-Za-z]+)(?: error)?:",
    ),
    Format(
        "klog and glog",
        "https://github.com/kubernetes/klog",
        "error",
        "E0102 10:00:00.123456       7 main.go:12] boom",
        r"LEVEL([IWEF])\d\d\d\d\d*[ -]\d\d:\d\d:",
    ),
    Format(
        "Ruby Logger",
        "https://docs.ruby-lang.org/en/master/Logger/Formatter.html",
        "error",
        "E, [2026-01-02T10:00:00.123456 #7] ERROR -- : boom",
        r"LEVEL([DIWEFA]), \[",
    ),
    Format(
        "Redis and Valkey",
        "https://github.com/redis/redis/blob/unstable/src/server.c",
        "warn",
        "1:M 02 Jan 2026 10:00:00.123 # WARNING Memory overcommit must be enabled!",
        r"\d+:(?:\d+:)?[A-Z] \d\d \w\w\w (?:\d\d\d\d )?[\d:.]+ LEVEL([.*#-]) ",
    ),
    Format(
        "MongoDB before 4.4",
        "https://www.mongodb.com/docs/v4.2/reference/log-messages/",
        "error",
        "2026-01-02T10:00:00.000+0000 E NETWORK  [conn1] boom",
        r"\d\d\d\d-\d\d-\d\d[T ][\d:.+Z-]+ LEVEL([FEWIDNTC])(?:\d? +(?:[A-Z]+ |\[|[\w.]+\.\w+ |\S+:\d+\] )|! | \|)",
    ),
    Format(
        "capnslog",
        "https://github.com/coreos/pkg/tree/main/capnslog",
        "error",
        "2026-01-02 10:00:00.123456 E | etcdserver: boom",
    ),
    Format("Telegraf", "https://github.com/influxdata/telegraf", "error", "2026-01-02T10:00:00Z E! [inputs.cpu] boom"),
    Format(
        "Gitea",
        "https://docs.gitea.com/administration/logging-config",
        "error",
        "2026/01/02 10:00:00 HTTPRequest [E] router: boom",
        r"[\d/]+ [\d:]+ \w+ \[LEVEL([TDIWECF])\] ",
    ),
    Format(
        "Apache httpd",
        "https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat",
        "error",
        "[Fri Jan 02 10:00:00.1 2026] [core:error] [pid 7] AH00037: x",
        r"\[[^\]]*\] \[[\w-]*:LEVEL([a-z]+)\d?\]",
    ),
    Format(
        "Monolog and Laravel",
        "https://github.com/Seldaek/monolog",
        "error",
        "[2026-01-02 10:00:00] production.ERROR: boom",
        r"\[[^\]]*\] [\w.-]+\.LEVEL([A-Z]+): ",
    ),
    Format(
        "logrus on a terminal",
        "https://github.com/sirupsen/logrus",
        "error",
        "ERRO[0000] boom",
        r"\s*LEVEL(TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\w*\[",
    ),
    Format(
        "java.util.logging",
        "https://docs.oracle.com/en/java/javase/21/docs/api/java.logging/",
        "error",
        "SEVERE: boom",
        r"\s*LEVEL(SEVERE|FINER|FINEST|EMERGENCY|silly): ",
    ),
    Format(
        "java.util.logging, both lines",
        "https://docs.oracle.com/en/java/javase/21/docs/api/java.logging/",
        "error",
        "Jan 02, 2026 10:00:00 AM com.shop.Main run\nSEVERE: boom",
        rf"{_MONTH} \d+, [\d :]+[AP]M [\w.$]+ [\w<>$]+\sLEVEL([A-Z]+): ",
    ),
    Format("apt", "https://manpages.debian.org/apt", "error", "E: Unable to locate package x", "LEVEL([EWN]): "),
    Format(
        "Android",
        "https://developer.android.com/tools/logcat",
        "error",
        "01-02 10:00:00.123  1234  1234 E Tag: boom",
        r"\d\d-\d\d [\d:.]+ +\d+ +\d+ LEVEL([VDIWEF]) ",
    ),
    Format(
        "npm",
        "https://docs.npmjs.com/cli/using-npm/logging",
        "error",
        "npm ERR! code ELIFECYCLE",
        r"npm LEVEL((?i:err|error|warn|notice|info|verb|silly))!? ",
    ),
    Format(
        "Erlang's SASL",
        "https://www.erlang.org/doc/apps/sasl/error_logging.html",
        "error",
        "=ERROR REPORT==== 2-Jan-2026::10:00:00 ===",
        r"=LEVEL([A-Z]+) REPORT=",
    ),
    Format(
        "Zigbee2MQTT",
        "https://www.zigbee2mqtt.io/guide/configuration/logging.html",
        "error",
        "Zigbee2MQTT:error 2026-01-02 10:00:00: boom",
        r"\w+:LEVEL(debug|info|warning|error)\s+\d",
    ),
    Format("Python basicConfig", _PY, "error", "ERROR:root:boom", r"LEVEL(DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.]+:"),
    Format(
        "Python's warnings",
        "https://docs.python.org/3/library/warnings.html",
        "warn",
        "/app/shop.py:7: DeprecationWarning: old",
        r"\S+:\d+: \w*LEVEL(Warning): ",
    ),
    Format(
        "Go panic, C++ terminate",
        "https://pkg.go.dev/builtin#panic",
        "fatal",
        "panic: runtime error: index out of range",
        r"LEVEL(panic|fatal)(?: error)?: |LEVEL(terminate) called ",
    ),
    Format(
        "Rust panic",
        "https://doc.rust-lang.org/std/macro.panic.html",
        "fatal",
        "thread 'main' panicked at src/main.rs:2:5:",
        r"thread '[^']*' (?:\(\d+\) )?LEVEL(panicked)",
    ),
    Format(
        "Python traceback",
        "https://docs.python.org/3/library/traceback.html",
        "error",
        "Traceback (most recent call last):",
        r"LEVEL(Traceback) \(most recent",
    ),
    Format(
        "Java exception",
        "https://docs.oracle.com/javase/specs/",
        "error",
        'Exception in thread "main" java.lang.IllegalStateException: boom',
        "LEVEL(Exception) in thread",
    ),
    Format(
        ".NET exception",
        "https://learn.microsoft.com/dotnet/standard/exceptions/",
        "error",
        "Unhandled exception. System.Exception: boom",
        r"\[?LEVEL(Unhandled)(?: [eE]xception|PromiseRejection)",
    ),
    Format(
        "exception at the beginning",
        "https://nodejs.org/api/errors.html",
        "error",
        "TypeError: x is undefined",
        r"(?:Uncaught )?\[?[\w.$]*LEVEL(Error|Exception)(?: \[\w+\])?(?::|$)",
    ),
    Format(
        "Ruby exception",
        "https://docs.ruby-lang.org/en/master/Exception.html",
        "error",
        "app.rb:1:in 'boom': it failed (RuntimeError)",
        r"\S+\.rb:\d+:in .*LEVEL(Error|Exception)\)(?:\n|$)",
    ),
    Format(
        "shell scripts of images",
        "https://github.com/nginxinc/docker-nginx",
        "info",
        "10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6",
        r"\S+\.sh:\s+LEVEL([a-z]+): ",
    ),
    Format("logfmt behind a time", "https://brandur.org/logfmt", "error", "2026-01-02 10:00:00 level=error msg=boom"),
    Format(
        "JSON behind a time",
        "https://www.rfc-editor.org/rfc/rfc8259",
        "error",
        '2026-01-02T10:00:00Z {"ts":1,"level":"error","msg":"boom"}',
    ),
    Format(
        "Tornado, Jupyter, Passenger",
        "https://www.tornadoweb.org/en/stable/log.html",
        "error",
        "[E 260102 10:00:00 web:7] boom",
        r"\[ ?LEVEL([DINWEFC]) ?\d[\d-]{2,9} \d\d:\d\d:",
    ),
    Format(
        "Minecraft",
        "https://logging.apache.org/log4j/2.x/manual/pattern-layout.html",
        "error",
        "[10:00:00] [Server thread/ERROR]: boom",
        r"(?:\[[^\]]*\] )?\[[^\]/]*/LEVEL(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\]",
    ),
    Format(
        "Node's warnings",
        "https://nodejs.org/api/process.html#event-warning",
        "warn",
        "(node:7) [DEP0040] DeprecationWarning: old",
        r"\(node:\d+\) (?:\[\w+\] )?\w*LEVEL(Warning): ",
    ),
    Format(
        "Next.js and consola",
        "https://github.com/vercel/next.js/blob/canary/packages/next/src/build/output/log.ts",
        "error",
        " ⨯ Error: boom",
        r"\s*LEVEL([⨯✖⚠ℹ])\s",
    ),
    Format(
        "signale",
        "https://github.com/klaudiosinani/signale",
        "error",
        "[1/2/2026] [10:00:00 AM] [Global   ] › ✖  error     boom",
        r"(?:\[[^\]]*\] )*› +\S+ +LEVEL([a-z]+)\s",
    ),
    Format(
        "Prisma",
        "https://www.prisma.io/docs/orm/prisma-client/observability-and-logging/logging",
        "error",
        "prisma:error boom",
        r"prisma:LEVEL(error|warn|info)\s",
    ),
    Format(
        "Gin",
        "https://github.com/gin-gonic/gin/blob/master/debug.go",
        "debug",
        "[GIN-debug] Listening and serving HTTP on :8080",
        r"\[GIN-LEVEL(debug)\] [^\[]",
    ),
    Format(
        "Go's HTTP server",
        "https://pkg.go.dev/net/http#Server",
        "fatal",
        "2026/01/02 10:00:00 http: panic serving 10.0.0.1:5000: boom",
        r"[\d/]+ [\d:.]+ http: LEVEL(panic) serving ",
    ),
    Format(
        "Datadog Agent",
        "https://docs.datadoghq.com/agent/configuration/agent-log-files/",
        "error",
        "2026-01-02 10:00:00 UTC | TRACE | ERROR | (x.go:7 in Run) | boom",
        r"[\d-]+ [\d:]+ UTC \| [A-Z-]+ \| LEVEL([A-Z]+) \|",
    ),
    Format(
        "Falco",
        "https://falco.org/docs/outputs/formatting/",
        "warn",
        "10:00:00.123456789: Warning Shell spawned in container",
        r"[\d:]+\.\d{9}: LEVEL([A-Z][a-z]+) ",
    ),
    Format(
        "Swift",
        "https://github.com/apple/swift-log",
        "error",
        "2026-01-02T10:00:00+0000 error codes.vapor.application : [App] boom",
        r"[\d-]+T[\d:]+[+-]\d{4} LEVEL([a-z]+) [\w.-]+ : ",
    ),
    Format(
        "ESPHome",
        "https://esphome.io/components/logger.html",
        "error",
        "[10:00:00][E][wifi:7]: boom",
        r"\[[\d:.]+\]\[LEVEL([EWIDV])V?\]\[[\w.:]+\]: ",
    ),
    Format(
        "qBittorrent",
        "https://github.com/qbittorrent/qBittorrent/wiki",
        "warn",
        "(W) 2026-01-02T10:00:00 - slow",
        r"\(LEVEL([NIWC])\) \d\d\d\d-",
    ),
    Format(
        "Icinga",
        "https://icinga.com/docs/icinga-2/latest/doc/14-features/#logging",
        "warn",
        "[2026-01-02 10:00:00 +0000] warning/ApiListener: slow",
        r"\[[^\]]+\] LEVEL(debug|notice|information|warning|critical)/\w+: ",
    ),
    Format(
        "coturn and Kamailio",
        "https://github.com/coturn/coturn",
        "error",
        "0: (1): ERROR: boom",
        r"\s*\d+:? ?\(\d+\):? LEVEL([A-Z]+): ",
    ),
    Format(
        "Mattermost on a terminal",
        "https://docs.mattermost.com/manage/logging.html",
        "error",
        "error [2026-01-02 10:00:00.123 Z] boom",
        r"LEVEL(debug|info|warn|error|fatal|critical) \[\d",
    ),
    Format(
        "SQL Server",
        "https://learn.microsoft.com/sql/relational-databases/errors-events/",
        "error",
        "2026-01-02 10:00:00.12 Logon       Error: 18456, Severity: 14, State: 8.",
        r"[\d-]+ [\d:.]+ \w+ +LEVEL(Error): \d+, Severity: ",
    ),
    Format(
        "Factorio",
        "https://wiki.factorio.com/Log_file",
        "error",
        "   1.123 Error Util.cpp:7: boom",
        r"\s*\d+\.\d{3} LEVEL(Verbose|Info|Warning|Error) \S+\.cpp:\d+: ",
    ),
    Format(
        "PHP on the screen",
        "https://www.php.net/manual/en/errorfunc.configuration.php#ini.display-errors",
        "fatal",
        "Fatal error: Uncaught Exception: boom in /app/a.php:7",
        r"(?:Recoverable )?LEVEL([Ff]atal|Parse) error: |LEVEL(Deprecated): ",
    ),
    Format(
        "WordPress",
        "https://developer.wordpress.org/reference/classes/wpdb/print_error/",
        "error",
        "[02-Jan-2026 10:00:00 UTC] WordPress database error Table 'x' doesn't exist for query SELECT 1",
        r"(?:\[[^\]]*\] )?WordPress database LEVEL(error) ",
    ),
    Format(
        "exception of a Python module",
        "https://docs.python.org/3/library/traceback.html",
        "error",
        "django.core.exceptions.ImproperlyConfigured: boom",
        r"(?:\w+\.)+LEVEL(error|exception)s?\.[A-Z]\w*(?::|$)",
    ),
    Format(
        "librdkafka",
        "https://github.com/confluentinc/librdkafka/blob/master/src/rdkafka.c",
        "error",
        "%3|1767348000.123|FAIL|rdkafka#producer-1| [thrd:a:9092/1]: boom",
        r"%LEVEL([0-7])\|\d",
    ),
    Format(
        "log4j itself",
        "https://logging.apache.org/log4j/1.x/manual.html",
        "warn",
        "log4j:WARN No appenders could be found for logger (x).",
        r"log4j:LEVEL(WARN|ERROR) ",
    ),
    Format(
        "SLF4J itself",
        "https://www.slf4j.org/codes.html",
        "warn",
        "SLF4J(W): No SLF4J providers were found.",
        r"SLF4J\(LEVEL([DIWE])\): ",
    ),
    Format(
        "Java's virtual machine",
        "https://openjdk.org/jeps/158",
        "warn",
        "OpenJDK 64-Bit Server VM warning: Option UseConcMarkSweepGC was deprecated",
        r"(?:OpenJDK|Java HotSpot\(TM\)) \S+ \w+ VM LEVEL(warning): ",
    ),
    Format(
        "crash of Java's virtual machine",
        "https://docs.oracle.com/en/java/javase/21/troubleshoot/fatal-error-log.html",
        "fatal",
        "# A fatal error has been detected by the Java Runtime Environment:",
        r"# A LEVEL(fatal) error has been detected",
    ),
    Format(
        "Open Liberty",
        "https://openliberty.io/docs/latest/log-trace-configuration.html",
        "info",
        "[AUDIT   ] CWWKE0001I: The server defaultServer has been launched.",
        r"\[LEVEL(AUDIT) *\] ",
    ),
    Format(
        "PowerDNS Recursor",
        "https://docs.powerdns.com/recursor/appendices/structuredlogging.html",
        "error",
        'Jan 02 10:00:00 msg="boom" subsystem="taskq" level="0" prio="Error" tid="6" ts="1767348000.1"',
        r"\w{3} [\d ]\d [\d:]+ msg=\"(?:[^\"\\]|\\.)*\" (?:[\w-]+=\"(?:[^\"\\]|\\.)*\" )*?prio=\"LEVEL([A-Z][a-z]+)",
    ),
    Format(
        "PostgreSQL with the prefix of pgBadger",
        "https://pgbadger.darold.net/documentation.html#POSTGRESQL-CONFIGURATION",
        "error",
        "2026-01-02 10:00:00 UTC [7]: user=app,db=shop,app=PostgreSQL JDBC Driver,client=10.0.0.4 ERROR:  boom",
        r"[\d-]+ [\d:.]+ \w+ \[\d+\]: (?:\[[\d-]+\] )?user=[^=]*=[^=]*=[^=]*=\S* LEVEL([A-Z]+)\d?:  ",
    ),
    Format(
        "name before the level",
        "https://confluence.atlassian.com/adminjiraserver/logging-and-profiling-938847671.html",
        "error",
        "2026-01-02 10:00:00,123+0000 JIRA-Bootstrap ERROR      [c.a.jira.startup.JiraStartupLogger] boom",
        r"[\d-]+[T ][\d:.,]+\S* (?:[\w.-]+ +LEVEL(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL)"
        r"|LEVEL(debug|info|warn|error)) +\[",
    ),
    Format(
        "Emby",
        "https://emby.media/support/articles/Logs.html",
        "error",
        "2026-01-02 10:00:00.123 Error HttpServer: boom",
        r"(?:[\d-]+ [\d:.]+ )?LEVEL(Info|Warn|Error|Fatal) [A-Z]\w+: [^\d\s]",
    ),
    Format(
        "Unreal Engine",
        "https://dev.epicgames.com/documentation/unreal-engine/logging-in-unreal-engine",
        "warn",
        "[2026.01.02-10.00.00:123][  0]LogNet: Warning: slow",
        r"\[[\d.:-]+\]\[ *\d+\]\w+: LEVEL([A-Z][a-z]+): ",
    ),
    Format(
        "GlusterFS",
        "https://docs.gluster.org/en/latest/Administrator-Guide/Logging/",
        "error",
        "[2026-01-02 10:00:00.123456 +0000] E [MSGID: 106408] [glusterd.c:7:f] 0-management: boom",
        r"\[[\d-]+ [\d:.]+(?: \+\d+)?\] LEVEL([TDINWECA]) \[",
    ),
    Format(
        "Ray",
        "https://docs.ray.io/en/latest/ray-observability/user-guides/configure-logging.html",
        "error",
        "[2026-01-02 10:00:00,123 E 7 7] (raylet) main.cc:7: boom",
        r"\[[\d-]+ [\d:,]+ LEVEL([DIWEF]) \d+ \d+\] ",
    ),
    Format(
        "GLib",
        "https://docs.gtk.org/glib/logging.html",
        "warn",
        "(app:7): Gtk-WARNING **: 10:00:00.123: cannot open display",
        r"(?:\*\* )?\([^)]*\): (?:[\w-]+-)?LEVEL(ERROR|CRITICAL|WARNING|Message|INFO|DEBUG) \*\*: ",
    ),
    Format(
        "ClamAV",
        "https://docs.clamav.net/",
        "error",
        "LibClamAV Error: No supported database files found",
        r"LibClamAV LEVEL(\w+): ",
    ),
    Format(
        "Verdaccio",
        "https://verdaccio.org/docs/logger",
        "error",
        " error--- boom",
        r"\s*LEVEL(fatal|error|warn|info|debug|trace) ?(?:---|-->|<--) ",
    ),
    Format(
        "Ruby's Console, Falcon",
        "https://github.com/socketry/console",
        "error",
        " 1.2m    error: Falcon::Server [oid=0x8] [pid=7]",
        r"\s*[\d.]+[smhd] +LEVEL([a-z]+): ",
    ),
    Format(
        "Dancer",
        "https://metacpan.org/pod/Dancer2::Core::Role::Logger",
        "error",
        "[shop:7] error @2026-01-02 10:00:00> boom in /app/a.pl l. 7",
        r"\[[\w.-]+:\d+\] LEVEL([a-z]+) @\d",
    ),
    Format(
        "Haskell's monad-logger",
        "https://hackage.haskell.org/package/monad-logger",
        "debug",
        '[Debug#SQL] SELECT "x"; []',
        r"\[LEVEL(Debug|Info|Warn|Error)#",
    ),
    Format(
        "LiteLLM",
        "https://docs.litellm.ai/docs/proxy/debugging",
        "error",
        "10:00:00 - LiteLLM Proxy:ERROR: proxy_server.py:7 - boom",
        r"[\d:]+ - LiteLLM[\w ]*:LEVEL([A-Z]+): ",
    ),
    Format(
        "UniFi",
        "https://github.com/jacobalberty/unifi-docker",
        "warn",
        "[2026-01-02T10:00:00,123] <launcher> WARN  system - slow",
        r"\[[\d:,T -]+\] <[\w.-]+> LEVEL([A-Z]+)(?: +[\w.]+ +- |: )",
    ),
    Format(
        "Sidekiq up to 5",
        "https://github.com/sidekiq/sidekiq/wiki/Logging",
        "warn",
        "2026-01-02T10:00:00.123Z 1 TID-abc HardJob JID-ab WARN: slow",
        r"[\d-]+T[\d:.]+Z \d+ TID-\w+ (?:\S+ ){0,2}LEVEL([A-Z]+): ",
    ),
    Format(
        "etcd's raft up to 3.4",
        "https://github.com/etcd-io/etcd/blob/release-3.4/raft/logger.go",
        "info",
        "raft2026/01/02 10:00:00 INFO: 8e9e05c52164694d became follower at term 1",
        r"raft[\d/]+ [\d:.]+ LEVEL([A-Z]+): ",
    ),
    Format(
        "Puma",
        "https://github.com/puma/puma/blob/master/lib/puma/error_logger.rb",
        "error",
        '2026-01-02 10:00:00 +0000 Rack app ("GET /" - (10.0.0.4)): #<RuntimeError: boom>',
        r"[\d-]+ [\d:]+ \S+ Rack app .*#<[\w:]*LEVEL(Error|Exception)",
    ),
    Format(
        "PM2",
        "https://pm2.keymetrics.io/docs/usage/log-management/",
        "error",
        "2026-01-02T10:00:00: PM2 error: boom",
        r"(?:[\d-]+T[\d:]+: )?PM2 LEVEL(error|warn|log): ",
    ),
    Format(
        "Duplicati",
        "https://docs.duplicati.com/",
        "warn",
        "2026-01-02 10:00:00 +00 - [Warning-Duplicati.Library.Main.Controller-X]: slow",
        r"[\d-]+ [\d:]+ \S+ - \[LEVEL([A-Z][a-z]+)-",
    ),
    Format(
        "systemd on a console",
        "https://www.freedesktop.org/software/systemd/man/latest/systemd.html",
        "error",
        "[FAILED] Failed to start Network Service.",
        r"\[LEVEL(FAILED)\] Failed to ",
    ),
    Format(
        "Monero",
        "https://docs.getmonero.org/interacting/monerod-reference/",
        "error",
        "2026-01-02 10:00:00.123\tE boom",
        r"[\d-]+ [\d:]+\.\d+\tLEVEL([FEWIDT]) ",
    ),
    Format(
        "CometBFT",
        "https://docs.cometbft.com/",
        "error",
        "E[2026-01-02|10:00:00.123] boom                          module=p2p",
        r"LEVEL([EID])\[\d{4}-",
    ),
    # Covered by GENERIC.
    Format(
        "nginx",
        "https://nginx.org/en/docs/ngx_core_module.html#error_log",
        "error",
        "2026/01/02 10:00:00 [error] 29#29: *1 open() failed",
    ),
    Format(
        "MySQL",
        "https://dev.mysql.com/doc/refman/8.4/en/error-log-format.html",
        "warn",
        "2026-01-02T10:00:00.000000Z 0 [Warning] [MY-010068] [Server] CA certificate is self signed.",
    ),
    Format("MariaDB", "https://mariadb.com/kb/en/error-log/", "info", "2026-01-02 10:00:00 0 [Note] Starting MariaDB"),
    Format(
        "PostgreSQL",
        "https://www.postgresql.org/docs/current/runtime-config-logging.html",
        "error",
        "2026-01-02 10:00:00.000 UTC [7] app@shop ERROR:  boom",
    ),
    Format(
        "pgbouncer",
        "https://www.pgbouncer.org/config.html",
        "info",
        "2026-01-02 10:00:00.123 UTC [1] LOG kernel file descriptor limit: 1024",
    ),
    Format(
        "Celery",
        "https://docs.celeryq.dev/en/stable/userguide/configuration.html#logging",
        "error",
        "[2026-01-02 10:00:00,123: ERROR/ForkPoolWorker-1] Task raised",
    ),
    Format("uvicorn", "https://www.uvicorn.org/settings/#logging", "info", "INFO:     Started server process [1]"),
    Format(
        "gunicorn",
        "https://docs.gunicorn.org/en/stable/settings.html#logging",
        "info",
        "[2026-01-02 10:00:00 +0000] [7] [INFO] Booting worker",
    ),
    Format("Python with a name", _PY, "error", "2026-01-02 10:00:00,123 - shop.payments - ERROR - boom"),
    Format(
        "loguru", "https://loguru.readthedocs.io/", "error", "2026-01-02 10:00:00.123 | ERROR    | app:main:7 - boom"
    ),
    Format("structlog", "https://www.structlog.org/", "error", "2026-01-02 10:00:00 [error    ] boom"),
    Format("Odoo", "https://www.odoo.com/documentation/", "info", "2026-01-02 10:00:00,123 1 INFO shop odoo.http: x"),
    Format(
        "Airflow",
        "https://airflow.apache.org/docs/",
        "error",
        "[2026-01-02T10:00:00.123+0000] {taskinstance.py:7} ERROR - boom",
    ),
    Format(
        ".NET console",
        "https://learn.microsoft.com/dotnet/core/extensions/console-log-formatter",
        "warn",
        "warn: Microsoft.AspNetCore.DataProtection[35]",
    ),
    Format("Serilog", "https://github.com/serilog/serilog-sinks-console", "error", "[10:00:00 ERR] boom"),
    Format("NLog", "https://github.com/NLog/NLog/wiki", "error", "2026-01-02 10:00:00.1234|ERROR|Shop.Program|boom"),
    Format("log4net", "https://logging.apache.org/log4net/", "error", "2026-01-02 10:00:00,123 [1] ERROR Shop - boom"),
    Format(
        "Spring Boot",
        "https://docs.spring.io/spring-boot/reference/features/logging.html",
        "error",
        "2026-01-02T10:00:00.000Z ERROR 1 --- [           main] c.shop.Main : boom",
    ),
    Format(
        "Logback and log4j",
        "https://logback.qos.ch/manual/layouts.html",
        "error",
        "10:00:00.123 [main] ERROR com.shop.Main - boom",
    ),
    Format(
        "Kafka",
        "https://kafka.apache.org/documentation/",
        "error",
        "[2026-01-02 10:00:00,123] ERROR [KafkaServer id=0] boom (kafka.server.KafkaServer)",
    ),
    Format(
        "ZooKeeper",
        "https://zookeeper.apache.org/",
        "info",
        "2026-01-02 10:00:00,123 [myid:1] - INFO  [main:QuorumPeerConfig@174] - Reading configuration",
    ),
    Format(
        "Elasticsearch",
        "https://www.elastic.co/guide/en/elasticsearch/reference/7.17/logging.html",
        "warn",
        "[2026-01-02T10:00:00,123][WARN ][o.e.b.BootstrapChecks] [node] boom",
    ),
    Format(
        "Cassandra",
        "https://cassandra.apache.org/doc/latest/",
        "info",
        "INFO  [main] 2026-01-02 10:00:00,123 Config.java:1 - x",
    ),
    Format(
        "Tomcat",
        "https://tomcat.apache.org/tomcat-10.1-doc/logging.html",
        "error",
        "02-Jan-2026 10:00:00.123 SEVERE [main] org.apache.catalina.startup.Catalina.load boom",
    ),
    Format(
        "Jenkins",
        "https://www.jenkins.io/doc/book/system-administration/viewing-logs/",
        "info",
        "2026-01-02 10:00:00.000+0000 [id=1]\tINFO\thudson.WebAppMain: x",
    ),
    Format("zap", "https://pkg.go.dev/go.uber.org/zap", "info", "2026-01-02T10:00:00.000Z\tinfo\tapp/main.go:7\thello"),
    Format("zerolog console", "https://github.com/rs/zerolog", "error", "10:00AM ERR boom error=x"),
    Format("Go slog", "https://pkg.go.dev/log/slog", "error", "2026/01/02 10:00:00 ERROR boom code=7"),
    Format("hclog", "https://github.com/hashicorp/go-hclog", "error", "2026-01-02T10:00:00.000Z [ERROR] agent: boom"),
    Format(
        "Traefik 3",
        "https://doc.traefik.io/traefik/observability/logs/",
        "error",
        "2026-01-02T10:00:00Z ERR github.com/traefik/traefik/v3/pkg/server > boom",
    ),
    Format("CoreDNS", "https://coredns.io/plugins/log/", "error", "[ERROR] plugin/errors: 2 example.com. A: timeout"),
    Format("NATS", "https://docs.nats.io/", "info", "[1] 2026/01/02 10:00:00.123456 [INF] Starting nats-server"),
    Format("HAProxy", "https://docs.haproxy.org/", "fatal", "[ALERT]    (1) : config : parsing failed"),
    Format(
        "RabbitMQ",
        "https://www.rabbitmq.com/docs/logging",
        "error",
        "2026-01-02 10:00:00.123456+00:00 [error] <0.123.0> boom",
    ),
    Format(
        "Envoy",
        "https://www.envoyproxy.io/docs/envoy/latest/operations/cli",
        "warn",
        "[2026-01-02 10:00:00.123][1][warning][main] [source/server/server.cc:800] boom",
    ),
    Format(
        "PHP-FPM",
        "https://www.php.net/manual/en/install.fpm.configuration.php",
        "warn",
        "[02-Jan-2026 10:00:00] WARNING: [pool www] server reached pm.max_children",
    ),
    Format(
        "NestJS",
        "https://docs.nestjs.com/techniques/logger",
        "error",
        "[Nest] 7  - 01/02/2026, 10:00:00 AM   ERROR [X] boom",
    ),
    Format(
        "log4js",
        "https://log4js-node.github.io/log4js-node/",
        "error",
        "[2026-01-02T10:00:00.123] [ERROR] default - boom",
    ),
    Format("winston", "https://github.com/winstonjs/winston", "error", "error: boom"),
    Format("pino-pretty", "https://github.com/pinojs/pino-pretty", "error", "[10:00:00.123] ERROR (7): boom"),
    Format("tracing", "https://docs.rs/tracing-subscriber/", "error", "2026-01-02T10:00:00.1Z ERROR app: boom"),
    Format("env_logger", "https://docs.rs/env_logger/", "error", "[2026-01-02T10:00:00Z ERROR app] boom"),
    Format("Fluent Bit", "https://docs.fluentbit.io/", "info", "[2026/01/02 10:00:00] [ info] [engine] started"),
    Format(
        "ClickHouse",
        "https://clickhouse.com/docs/operations/server-configuration-parameters/settings#logger",
        "error",
        "2026.01.02 10:00:00.123456 [ 1 ] {} <Error> Application: boom",
    ),
    Format(
        "Sidekiq",
        "https://github.com/sidekiq/sidekiq/wiki/Logging",
        "info",
        "2026-01-02T10:00:00.123Z pid=1 tid=abc INFO: Booting Sidekiq",
    ),
    Format("Elixir", "https://hexdocs.pm/logger/", "error", "10:00:00.123 [error] boom"),
    Format(
        "syslog file",
        "https://www.rfc-editor.org/rfc/rfc3164",
        "warn",
        "Jan  2 10:00:00 mail postfix/smtpd[1]: warning: hostname does not resolve",
    ),
    Format("Unbound", "https://unbound.docs.nlnetlabs.nl/", "info", "[1767348000] unbound[1:0] info: start of service"),
    Format("Mosquitto", "https://mosquitto.org/man/mosquitto-conf-5.html", "error", "1767348000: Error: boom"),
)


def own() -> list[tuple[str, list[str]]]:
    """RE2 of the formats' own patterns, the last first, and their groups; `pri` is a priority of syslog. Several: Go's
    regular expressions are many times faster below 500 instructions. Each uses the same names of groups, and the last
    stage that matches decides: each name that the template of the level reads costs about 0.1 us."""
    return [_numbered("|".join(chunk)) for chunk in reversed(_chunks([one.pattern for one in FORMATS if one.pattern]))]


def _numbered(patterns: str) -> tuple[str, list[str]]:
    groups: list[str] = []

    def group(marker: re.Match[str]) -> str:
        groups.append("pri" if marker[1] else f"own{len(groups)}")
        return f"(?P<{groups[-1]}>"

    return "^(?:" + re.sub(r"LEVEL(PRI)?\(", group, patterns) + ")", groups


def _chunks(patterns: list[str]) -> list[list[str]]:
    chunks: list[list[str]] = [[]]
    for pattern in patterns:
        if sum(map(_size, chunks[-1])) + _size(pattern) > 465:
            chunks.append([])
        chunks[-1].append(pattern)
    return chunks


def _size(pattern: str) -> int:
    """About how many instructions Go has for it: one for each character, class and group."""
    return len(re.sub(r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|\(\?\w*:|LEVEL(?:PRI)?\(", "x", pattern))
