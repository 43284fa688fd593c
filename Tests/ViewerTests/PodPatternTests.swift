// Which pods are asked for.
import Testing
import Viewer

@Suite("pod patterns") struct PodPatternTests {
    @Test(arguments: [
        ("odoo", "shop", "odoo-7b569fd464-j7trx", true),
        ("odoo", "shop", "my-odoo", true),
        ("^odoo", "shop", "my-odoo", false),
        ("Odoo", "shop", "odoo", false),
        ("web-.*-n", "shop", "web-688b586558-nlvgb", true),
        ("shop/web-.*", "shop", "web-688b586558-nlvgb", true),
        ("shop/web-.*", "shopping", "web-688b586558-nlvgb", false),
        ("shop*/web", "shopping", "web-688b586558-nlvgb", true),
        ("*/web$", "any", "web", true),
        ("pod/web", "shop", "web", true),
        ("pod/web", "shop", "web-0", false),
        ("po/web-*", "shop", "web-0", true),
        ("deploy/web", "shop", "web-688b586558-nlvgb", true),
        ("Deployment/web", "shop", "web-688b586558-nlvgb", true),
        ("deploy/web", "shop", "web-688b586558-nlvg", false),
        ("deploy/web", "shop", "web-688b586558-nlvga", false),
        ("deploy/web", "shop", "web-api-688b586558-nlvgb", false),
        ("deploy/web-api", "shop", "web-api-688b586558-nlvgb", true),
        ("deploy/web*", "shop", "web-api-688b586558-nlvgb", true),
        ("deploy/web", "shop", "web-5c4bdbb5-nlvgb", true),
        ("deploy/web", "shop", "web-5c4bdbb59bbb-nlvgb", false),
        ("deploy/web", "shop", "web-nlvgb", false),
        ("deploy/web", "shop", "web", false),
        ("rs/web-688b586558", "shop", "web-688b586558-nlvgb", true),
        ("shop/deploy/web", "shop", "web-688b586558-nlvgb", true),
        ("shop/deploy/web", "noise", "web-688b586558-nlvgb", false),
        ("sts/db", "shop", "db-0", true),
        ("sts/db", "shop", "db-12", true),
        ("sts/db", "shop", "db-x", false),
        ("sts/db", "shop", "db", false),
        ("statefulset/db", "shop", "db-main-0", false),
        ("ds/agent", "logging", "agent-bsxt6", true),
        ("ds/agent", "logging", "agent-0", false),
        ("job/backup", "shop", "backup-x4k2z", true),
        ("job/backup-27839480", "shop", "backup-27839480-x4k2z", true),
        ("job/backup", "shop", "backup-27839480-x4k2z", false),
        ("cronjob/backup", "shop", "backup-27839480-x4k2z", true),
        ("cj/backup", "shop", "backup-1670371200-x4k2z", true),
        ("cronjob/backup", "shop", "backup-123-x4k2z", false),
        ("deploy/web", "shop", "-688b586558-nlvgb", false),
    ])
    func `names tell which pods are asked for`(pattern: String, namespace: String, pod: String, matches: Bool) throws {
        #expect(try PodPattern(pattern).matches(namespace: namespace, pod: pod) == matches)
    }

    @Test(arguments: [
        ("deploy/web", "ReplicaSet", "web-688b586558", "odd", true),
        ("deploy/web", "ReplicaSet", "web", "web-688b586558-nlvgb", false),
        ("deploy/web", "Deployment", "web", "odd", true),
        ("deploy/web", "Deployment", "other", "web-688b586558-nlvgb", false),
        ("deploy/web", "DaemonSet", "web", "web-688b586558-nlvgb", false),
        ("rs/web-688b586558", "ReplicaSet", "web-688b586558", "odd", true),
        ("sts/db", "StatefulSet", "db", "odd", true),
        ("sts/db", "Node", "lab-node", "db-0", false),
        ("ds/agent", "DaemonSet", "agent", "odd", true),
        ("job/b", "Job", "b", "odd", true),
        ("job/b", "CronJob", "b", "b-x4k2z", false),
        ("cronjob/b", "Job", "b-27839480", "odd", true),
        ("cronjob/b", "Job", "b", "b-27839480-x4k2z", false),
        ("cronjob/b", "CronJob", "b", "odd", true),
        ("shop/cronjob/b", "CronJob", "b", "odd", true),
        ("noise/cronjob/b", "CronJob", "b", "odd", false),
        ("pod/odd", "Deployment", "web", "odd", true),
        ("od", "Deployment", "web", "odd", true),
    ])
    func `an owner decides where it is known`(
        pattern: String, kind: String, owner: String, pod: String, matches: Bool
    ) throws {
        let found = try PodPattern(pattern).matches(namespace: "shop", pod: pod, ownerKind: kind, ownerName: owner)
        #expect(found == matches)
    }

    @Test(arguments: [
        ("deploy/web", "web-688b586558-nlvgb", true), ("deploy/web", "web-odd", true), ("deploy/web", "db-0", false),
        ("deploy/w*", "db-0", true), ("pod/web", "web", false), ("web", "web", false),
        ("noise/deploy/web", "web-x", false),
        (
            "deploy/a-name-of-fifty-characters-that-has-to-be-cut-down",
            "a-name-of-fifty-characters-that-has-to-be-688b586558-nlvgb", true
        ),
    ])
    func `whose pods may be another's than their names say`(pattern: String, pod: String, depends: Bool) throws {
        #expect(try PodPattern(pattern).mayDependOnOwner(namespace: "shop", pod: pod) == depends)
    }

    @Test(arguments: [
        ("", "'' names no pod: it is empty"),
        ("shop/", "'shop/' names no pod: a '/' has nothing on one side of it"),
        ("/web", "'/web' names no pod: a '/' has nothing on one side of it"),
        ("shop/web/x", "'shop/web/x' names no pod: 'web' is no kind of workload"),
        ("a/b/c/d", "'a/b/c/d' names no pod: it has too many '/'"),
        ("shop-.*/web", "'shop-.*/web' names no pod: 'shop-.*' is no namespace"),
        ("deploy/we[b", "'deploy/we[b' names no pod: 'we[b' has a '[' without its ']'"),
        ("web(", "'web(' is no regular expression: missing closing parenthesis at its end"),
        (
            "we*)b",
            "'we*)b' is no regular expression: unmatched closing parenthesis at its character 4, ')b'"
        ),
        (
            "*web",
            "'*web' is no regular expression: quantifier does not follow a repeatable item at its character 1, '*web'"
        ),
    ])
    func `what names no pod is told`(pattern: String, message: String) {
        let error = #expect(throws: QueryError.self) { try PodPattern(pattern) }
        #expect(error?.message == message)
        #expect(error?.hint != nil)
    }
}
