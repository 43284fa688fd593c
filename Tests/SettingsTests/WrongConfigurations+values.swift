// Wrong configurations: values that do not fit, and references that lead nowhere.

/// Sizes, times, numbers, words, globs, fields.
let mistakesOfValues: [WrongConfiguration] = [
    WrongConfiguration(
        "a size without sense",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout }]
        store:
          max_size: 2 gigs
        """#,
        #"""
        sluice.yaml:4:13: store.max_size: '2 gigs' is not a size: there is no unit 'gigs'
            4 |   max_size: 2 gigs
              |             ^~~~~~
              = write a number and a unit, such as 16MiB, 64k or 1.5GiB (k M G T are 1000s, Ki Mi Gi Ti 1024s)
        """#),
    WrongConfiguration(
        "a size below the least",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout }]
        store: { max_size: 1MiB, history: 1h }
        """#,
        #"""
        sluice.yaml:3:20: store.max_size: must be at least 16MiB, found 1MiB
            3 | store: { max_size: 1MiB, history: 1h }
              |                    ^~~~
        """#),
    WrongConfiguration(
        "a time without a unit",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: stdout
            max_delay: 5
        """#,
        #"""
        sluice.yaml:4:16: outputs[0].max_delay: '5' has no unit
            4 |     max_delay: 5
              |                ^
              = write 5s for seconds, or one of the units ms, s, m, h, d
        """#),
    WrongConfiguration(
        "a number out of its range",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url: https://logs.example.com
            concurrency: 100
        """#,
        #"""
        sluice.yaml:5:18: outputs[0].concurrency: must be between 1 and 64, found 100
            5 |     concurrency: 100
              |                  ^~~
        """#),
    WrongConfiguration(
        "a word that is not one of a few",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: stdout
            when_full: give-way!
        """#,
        #"""
        sluice.yaml:4:16: outputs[0].when_full: 'give-way!' is not one of give_way, pause, did you mean 'give_way'?
            4 |     when_full: give-way!
              |                ^~~~~~~~~
        """#),
    WrongConfiguration(
        "neither true nor false",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: http, url: "https://logs.example.com", compress: maybe }]
        """#,
        #"""
        sluice.yaml:2:68: outputs[0].compress: 'maybe' is neither true nor false
            2 | outputs: [{ type: http, url: "https://logs.example.com", compress: maybe }]
              |                                                                    ^~~~~
        """#),
    WrongConfiguration(
        "a list in place of a text",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url:
              - https://a.example.com
              - https://b.example.com
        """#,
        #"""
        sluice.yaml:5:7: outputs[0].url: expected an address such as https://logs.example.com/ingest, found a list
            5 |       - https://a.example.com
              |       ^
        """#),
    WrongConfiguration(
        "settings that contradict each other",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: stdout
            retry: { initial: 5m, max: 1m }
        """#,
        #"""
        sluice.yaml:4:32: outputs[0].retry.max: must not be shorter than 'initial' (5m), found 1m
            4 |     retry: { initial: 5m, max: 1m }
              |                                ^~
        """#),
    WrongConfiguration(
        "a glob that is not closed",
        #"""
        inputs:
          - type: kubernetes_logs
            exclude:
              namespaces: [kube-node-lease, "debug-[0-9"]
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:4:37: inputs[0].exclude.namespaces[1]: 'debug-[0-9' has a '[' without its ']'
            4 |       namespaces: [kube-node-lease, "debug-[0-9"]
              |                                     ^~~~~~~~~~~~
              = write \[ for the character itself
        """#),
    WrongConfiguration(
        "a condition with everything that can be wrong in it",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: stdout
            where:
              kubernetes..pod_name: web
              kubernetes.namespace_name: [shop, "!"]
              severity: [error, warn, "crit*", "emerg-*"]
              origin: pod
              stream: []
              message:
                contains: x
        """#,
        #"""
        sluice.yaml:5:7: outputs[0].where.kubernetes..pod_name: 'kubernetes..pod_name' is not the name of a field
            5 |       kubernetes..pod_name: web
              |       ^~~~~~~~~~~~~~~~~~~~
              = write names joined by dots, one with dots of its own in double quotes: kubernetes.labels."app.kubernetes.io/name"
        sluice.yaml:6:41: outputs[0].where.kubernetes.namespace_name[1]: '!' excludes nothing
            6 |       kubernetes.namespace_name: [shop, "!"]
              |                                         ^~~
              = write what is not wanted behind the '!', in quotes: "!kube-*"
        sluice.yaml:7:25: outputs[0].where.severity[1]: 'warn' is not one of trace, debug, info, notice, warning, error, critical, alert, emergency, did you mean 'warning'?
            7 |       severity: [error, warn, "crit*", "emerg-*"]
              |                         ^~~~
        sluice.yaml:7:40: outputs[0].where.severity[3]: 'emerg-*' matches none of trace, debug, info, notice, warning, error, critical, alert, emergency
            7 |       severity: [error, warn, "crit*", "emerg-*"]
              |                                        ^~~~~~~~~
        sluice.yaml:8:15: outputs[0].where.origin: 'pod' is not one of container, file, journal
            8 |       origin: pod
              |               ^~~
        sluice.yaml:9:15: outputs[0].where.stream: has no value, expected a glob such as shop-*, or !shop-* for everything else, or a list of them
            9 |       stream: []
              |               ^
        sluice.yaml:11:9: outputs[0].where.message: expected a glob such as shop-*, or !shop-* for everything else, found a mapping
           11 |         contains: x
              |         ^
        """#),
    WrongConfiguration(
        "an exclusion without quotes",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: stdout
            where: { kubernetes.namespace_name: [shop-*, !shop-test ] }
        """#,
        #"""
        sluice.yaml:4:50: outputs[0].where.kubernetes.namespace_name[1]: begins with '!', which makes it a YAML tag that means nothing here
            4 |     where: { kubernetes.namespace_name: [shop-*, !shop-test ] }
              |                                                  ^
              = leave the tag out, or put a text that begins with '!' in quotes
        """#),
    WrongConfiguration(
        "a condition that is none",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: stdout
            where: origin=container
        """#,
        #"""
        sluice.yaml:4:12: outputs[0].where: expected settings (lines 'key: value'), found the text 'origin=container'
            4 |     where: origin=container
              |            ^~~~~~~~~~~~~~~~
        """#),
    WrongConfiguration(
        "a path that is a folder",
        #"""
        inputs:
          - type: file
            include:
              - /var/log/app/
              - /var/log/**.log
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:4:9: inputs[0].include[0]: '/var/log/app/' is a folder
            4 |       - /var/log/app/
              |         ^~~~~~~~~~~~~
              = write /var/log/app/* for its files, or /var/log/app/** for everything below it
        sluice.yaml:5:9: inputs[0].include[1]: '/var/log/**.log' has '**' beside other characters
            5 |       - /var/log/**.log
              |         ^~~~~~~~~~~~~~~
              = '**' stands alone: /var/log/**/*.log
        """#),
    WrongConfiguration(
        "a field with a reserved name",
        #"""
        fields:
          cluster: prod-1
          message: hello
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:3:3: fields.message: records have a member of this name already, choose another such as 'my_message'
            3 |   message: hello
              |   ^~~~~~~
        """#),
    WrongConfiguration(
        "a field that JSON cannot hold",
        #"""
        fields: { limit: .inf }
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:1:18: fields.limit: '.inf' is no number that JSON can hold
            1 | fields: { limit: .inf }
              |                  ^~~~
              = put it in quotes to make it a text
        """#),
    WrongConfiguration(
        "wide characters and a tab before the mistake",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout }]
        fields: { 場所: 東京,\#ttime: now }
        """#,
        #"""
        sluice.yaml:3:19: fields.time: records have a member of this name already, choose another such as 'my_time'
            3 | fields: { 場所: 東京,  time: now }
              |                        ^~~~
        """#),
]

/// Expansion, and secrets that must not be shown.
let mistakesOfReferences: [WrongConfiguration] = [
    WrongConfiguration(
        "a reference within brackets",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: http, url: ${URL} }]
        """#,
        #"""
        sluice.yaml:2:30: a reference within brackets needs quotes
            2 | outputs: [{ type: http, url: ${URL}***
              |                              ^~
              = write "${NAME}"
        """#),
    WrongConfiguration(
        "a variable that is not set",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url: https://${LOGS_HOST}/ingest
        """#,
        #"""
        sluice.yaml:4:18: outputs[0].url: the environment variable LOGS_HOST is not set
            4 |     url: https://${LOGS_HOST}/ingest
              |                  ^~~~~~~~~~~~
              = set it for this process, or give a default: ${LOGS_HOST:-value}
        """#),
    WrongConfiguration(
        "a variable with the wrong contents",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url: https://logs.example.com
            concurrency: ${PORT}
        """#,
        #"""
        sluice.yaml:5:18: outputs[0].concurrency: '${PORT}' does not hold a whole number
            5 |     concurrency: ${PORT}
              |                  ^~~~~~~
              = what it holds is not shown, since it may be a secret
        """#),
    WrongConfiguration(
        "a secret file that is not there",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url: https://logs.example.com
            auth: { token: "${file:/run/tokn}" }
        """#,
        #"""
        sluice.yaml:5:21: outputs[0].auth.token: the file /run/tokn cannot be read: no such file
            5 |     auth: { token: "${file:/run/tokn}" }
              |                     ^~~~~~~~~~~~~~~~~
        """#),
    WrongConfiguration(
        "a reference that is none",
        #"""
        agent:
          node: ${env:NODE_NAME}
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:2:9: agent.node: this is not a reference that Sluice knows
            2 |   node: ${env:NODE_NAME}
              |         ^~~~~~~~~~~~~~~~
              = write ${NAME}, ${NAME:-default} or ${file:/path}, and $${ for the characters themselves
        """#),
    WrongConfiguration(
        "a secret on a line with a mistake",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url: https://logs.example.com
            auth: { token: abc123, usr: me }
        """#,
        #"""
        sluice.yaml:5:28: outputs[0].auth.usr: unknown setting
            5 |     auth: { token: ******, usr: ** }
              |                            ^~~
              = known here: token
        """#),
]
