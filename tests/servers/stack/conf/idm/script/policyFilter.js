// The policy of managed/user, for all that is written to it: by REST, by a reconciliation, by liveSync.
//   description "poison ..."     is refused as a violated policy (403 "Policy validation failed")
//   description "slow 500 ..."   takes that many milliseconds longer
(function () {
    var values = [];
    if (request.content && request.content.description) {
        values.push(String(request.content.description));
    }
    if (request.patchOperations) {
        for (var i = 0; i < request.patchOperations.length; i++) {
            var operation = request.patchOperations[i];
            if (String(operation.field).replace("/", "") === "description") {
                values.push(String(operation.value));
            }
        }
    }
    for (var n = 0; n < values.length; n++) {
        var slow = /^slow (\d{1,5})\b/.exec(values[n]);
        if (slow) {
            java.lang.Thread.sleep(parseInt(slow[1], 10));
        }
        if (/^poison\b/.test(values[n])) {
            throw {
                code: 403,
                message: "Policy validation failed",
                detail: {
                    result: false,
                    failedPolicyRequirements: [{
                        property: "description",
                        policyRequirements: [{ policyRequirement: "DESCRIPTION_NOT_ALLOWED" }]
                    }]
                }
            };
        }
    }
}());
