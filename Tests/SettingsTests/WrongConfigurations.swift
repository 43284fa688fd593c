// Wrong configurations, and to the letter what an operator is told about each: what to read to judge the wording.
// Values and YAML syntax are in the files beside this one.
import Testing

/// A mistake and its message.
struct WrongConfiguration: CustomTestStringConvertible {
    let name: String
    let yaml: String
    let told: String

    var testDescription: String { name }

    init(_ name: String, _ yaml: String, _ told: String) {
        self.name = name
        self.yaml = yaml
        self.told = told
    }
}

/// Mistyped and missing settings, unknown plugins, names.
let mistakesOfStructure: [WrongConfiguration] = [
    WrongConfiguration(
        "a mistyped setting",
        #"""
        inputs:
          - type: kubernetes_logs
        outputs:
          - type: http
            urll: https://logs.example.com
            url: https://logs.example.com
        """#,
        #"""
        sluice.yaml:5:5: outputs[0].urll: unknown setting, did you mean 'url'?
            5 |     urll: ************************
              |     ^~~~
        """#),
    WrongConfiguration(
        "a setting nobody knows",
        #"""
        inputs:
          - type: file
            include: /var/log/*.log
            colour: red
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:4:5: inputs[0].colour: unknown setting
            4 |     colour: ***
              |     ^~~~~~
              = known here: type, name, include, parsers
        """#),
    WrongConfiguration(
        "a setting of a section at the top",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout }]
        max_size: 4GiB
        """#,
        #"""
        sluice.yaml:3:1: max_size: unknown setting here, it belongs under 'store:'
            3 | max_size: ****
              | ^~~~~~~~
        """#),
    WrongConfiguration(
        "a mistyped section",
        #"""
        input:
          - type: kubernetes_logs
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:1:1: input: unknown setting, did you mean 'inputs'?
            1 | input:
              | ^~~~~
        """#),
    WrongConfiguration(
        "a required setting left out",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: stdout
          - type: http
            timeout: 5s
        """#,
        #"""
        sluice.yaml:4:5: outputs[1].url: missing, expected an address such as https://logs.example.com/ingest
            4 |   - type: http
              |     ^
        """#),
    WrongConfiguration(
        "a required setting without a value",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url:
        """#,
        #"""
        sluice.yaml:4:5: outputs[0].url: has no value, expected an address such as https://logs.example.com/ingest
            4 |     url:
              |     ^~~
        """#),
    WrongConfiguration(
        "a plugin that does not exist, nearly",
        #"""
        inputs: [{ type: kubernetes_log }]
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:1:18: inputs[0].type: there is no such input as 'kubernetes_log', did you mean 'kubernetes_logs'?
            1 | inputs: [{ type: kubernetes_log }]
              |                  ^~~~~~~~~~~~~~
        """#),
    WrongConfiguration(
        "a plugin that does not exist at all",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: splunk
            index: main
        """#,
        #"""
        sluice.yaml:3:11: outputs[0].type: there is no such output as 'splunk'
            3 |   - type: splunk
              |           ^~~~~~
              = known types: http, "null" (in quotes), stdout
        """#),
    WrongConfiguration(
        "an input among the outputs",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: kubernetes_logs
        """#,
        #"""
        sluice.yaml:3:11: outputs[0].type: 'kubernetes_logs' is an input, it belongs under 'inputs:'
            3 |   - type: kubernetes_logs
              |           ^~~~~~~~~~~~~~~
        """#),
    WrongConfiguration(
        "null without its quotes",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: null
        """#,
        #"""
        sluice.yaml:3:5: outputs[0].type: has no value, expected the name of a plugin
            3 |   - type: null
              |     ^~~~
              = known types: http, "null" (in quotes), stdout
        """#),
    WrongConfiguration(
        "an item that is only a word",
        #"""
        inputs:
          - kubernetes_logs
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:2:5: inputs[0]: expected settings (lines 'key: value'), found the text 'kubernetes_logs'
            2 |   - kubernetes_logs
              |     ^~~~~~~~~~~~~~~
        """#),
    WrongConfiguration(
        "a mapping in place of a list",
        #"""
        inputs:
          type: kubernetes_logs
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:2:3: inputs: expected a list, found a mapping
            2 |   type: kubernetes_logs
              |   ^
              = begin each item with '- '
        """#),
    WrongConfiguration(
        "two outputs of one type without names",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url: https://a.example.com
          - type: http
            url: https://b.example.com
        """#,
        #"""
        sluice.yaml:5:11: outputs[1].type: outputs[0] is already called 'http', give this one a name of its own
            5 |   - type: http
              |           ^~~~
              = for example 'name: http-2'
        """#),
    WrongConfiguration(
        "two outputs with one name",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - { type: stdout, name: main }
          - { type: "null", name: main }
        """#,
        #"""
        sluice.yaml:4:27: outputs[1].name: outputs[0] is already called 'main', names are unique in a list
            4 |   - { type: "null", name: main }
              |                           ^~~~
        """#),
    WrongConfiguration(
        "a name with capitals",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: stdout
            name: Main Output
        """#,
        #"""
        sluice.yaml:4:11: outputs[0].name: 'Main Output' is not a name
            4 |     name: Main Output
              |           ^~~~~~~~~~~
              = use 1 to 64 of the characters a-z, 0-9, _ and -
        """#),
    WrongConfiguration(
        "no outputs",
        #"""
        inputs:
          - type: kubernetes_logs
        """#,
        #"""
        sluice.yaml:1:1: outputs: there is nowhere to send records to, add at least one item
            1 | inputs:
              | ^
              = for example
                outputs:
                  - type: stdout
        """#),
    WrongConfiguration(
        "an empty list of inputs",
        #"""
        inputs: []
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:1:9: inputs: there is nothing to read, add at least one item
            1 | inputs: []
              |         ^
              = for example
                inputs:
                  - type: kubernetes_logs
        """#),
    WrongConfiguration(
        "everything wrong at once",
        #"""
        data_dirr: /tmp
        inputs:
          - type: kubernetes_logs
            max_line: 1kb
        outputs:
          - type: http
            timeout: 1500ms
            retry: { initial: 1 }
          - type: sdtout
        store:
          history: forever
        """#,
        #"""
        sluice.yaml:1:1: data_dirr: unknown setting, did you mean 'data_dir'?
            1 | data_dirr: ****
              | ^~~~~~~~~
        sluice.yaml:4:15: inputs[0].max_line: must be between 1KiB and 16MiB, found 1kB
            4 |     max_line: 1kb
              |               ^~~
        sluice.yaml:6:5: outputs[0].url: missing, expected an address such as https://logs.example.com/ingest
            6 |   - type: http
              |     ^
        sluice.yaml:8:23: outputs[0].retry.initial: '1' has no unit
            8 |     retry: { initial: 1 }
              |                       ^
              = write 1s for seconds, or one of the units ms, s, m, h, d
        sluice.yaml:9:11: outputs[1].type: there is no such output as 'sdtout', did you mean 'stdout'?
            9 |   - type: sdtout
              |           ^~~~~~
        sluice.yaml:11:12: store.history: 'forever' is not a time
           11 |   history: forever
              |            ^~~~~~~
              = write a number and a unit, such as 250ms, 5s, 10m, 24h, 7d or 1h30m
        """#),
]
