// Wrong configurations: what is not YAML, or not the YAML that was meant.

/// Indentation, quotes, brackets, keys given twice.
let mistakesOfSyntax: [WrongConfiguration] = [
    WrongConfiguration(
        "a setting given twice",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url: https://a.example.com
            timeout: 5s
            url: https://b.example.com
        """#,
        #"""
        sluice.yaml:6:5: outputs[0].url: is set twice, first on line 4
            6 |     url: https://b.example.com
              |     ^~~
        """#),
    WrongConfiguration(
        "wrong indentation",
        #"""
        inputs:
          - type: file
            include: /var/log/*.log
           name: app
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:4:4: this does not fit the list above it
            4 |    name: app
              |    ^
              = check the indentation: the items of a list start in one column, the settings of an item in another;
                the list in question starts on line 2
        """#),
    WrongConfiguration(
        "a tab",
        #"""
        inputs:
          - type: file
        \#tinclude: /var/log/*.log
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:3:1: a tab stands here, and YAML allows only spaces
            3 |   include: /var/log/*.log
              | ^~
              = replace the tabs of this file by spaces
        """#),
    WrongConfiguration(
        "a colon too many",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url: see: https://logs.example.com
        """#,
        #"""
        sluice.yaml:4:13: a ':' is not possible here
            4 |     url: *****************************
              |             ^
              = check the indentation of this line and the one above, and quote a text that has ': ' in it
        """#),
    WrongConfiguration(
        "a bracket that is not closed",
        #"""
        inputs:
          - type: kubernetes_logs
            include: { namespaces: [shop, web }
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:3:28: the '[' here is not closed, or a ',' is missing between its items
            3 |     include: { namespaces: [shop, web }
              |                            ^
        """#),
    WrongConfiguration(
        "a quote that is not closed",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: http
            url: "https://logs.example.com
        """#,
        #"""
        sluice.yaml:4:10: the quote that opens here is never closed
            4 |     url: "************************
              |          ^
        """#),
    WrongConfiguration(
        "a key without its colon",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout }]
        store
        """#,
        #"""
        sluice.yaml:3:1: this line has no ':' after its key
            3 | store
              | ^
              = write 'key: value', or check the indentation and quotes above
        """#),
    WrongConfiguration(
        "an unfilled template",
        #"""
        agent:
          node: {{ .Values.node }}
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout }]
        """#,
        #"""
        sluice.yaml:2:10: agent.node: a key must be a text, found a mapping
            2 |   node: {{ .Values.node }}
              |          ^
              = put a text that begins with '{' or '[' in quotes, and fill in '{{ templates }}' before
        """#),
    WrongConfiguration(
        "an alias of nothing",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: http, url: *central }]
        """#,
        #"""
        sluice.yaml:2:30: this alias has no anchor above it
            2 | outputs: [{ type: http, url: ***********
              |                              ^
              = an anchor is written '&name', its alias '*name'; put a text that begins with '*' in quotes
        """#),
    WrongConfiguration(
        "two documents in one file",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout }]
        ---
        store: { max_size: 1GiB }
        """#,
        #"""
        sluice.yaml:3:1: a second YAML document begins here, but a configuration is a single one
            3 | ---
              | ^
              = remove the line '---'
        """#),
    WrongConfiguration(
        "an empty file",
        "",
        #"""
        sluice.yaml:1:1: the file is empty
              = the least it needs is
                inputs:
                  - type: kubernetes_logs
                outputs:
                  - type: stdout
        """#),
    WrongConfiguration(
        "keys given three times, in quotes and in two mappings",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - type: stdout
            "name": a
            "name": b
            name: c
        store:
          history: 1h
          history: 2h
        """#,
        #"""
        sluice.yaml:5:5: outputs[0].name: is set twice, first on line 4
            5 |     "name": b
              |     ^~~~
        sluice.yaml:6:5: outputs[0].name: is set twice, first on line 4
            6 |     name: c
              |     ^~~~
        sluice.yaml:9:3: store.history: is set twice, first on line 8
            9 |   history: 2h
              |   ^~~~~~~
        """#),
    WrongConfiguration(
        "an anchor that merges no mapping",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs:
          - <<: stdout
            type: stdout
        """#,
        #"""
        sluice.yaml:3:9: outputs[0]: '<<' merges mappings, found the text 'stdout'
            3 |   - <<: stdout
              |         ^~~~~~
        """#),
    WrongConfiguration(
        "a character that cannot be seen",
        #"""
        inputs: [{ type: kubernetes_logs }]
        outputs: [{ type: stdout\#u{7} }]
        """#,
        #"""
        sluice.yaml:2:25: a character stands here that YAML does not allow
            2 | outputs: [{ type: stdout� }]
              |                         ^
              = remove it (it may be invisible), or write it as an escape in double quotes
        """#),
]
